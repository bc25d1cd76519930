"""Energy of an inference by activity: changes of bits, clocked registers and blocks, times a published table.

The table is that of VTR's architecture `k6_frac_N10_mem32K_40nm` (Verilog to Routing, verilogtorouting.org: a 40 nm
part like Stratix IV), whose wires, clocks, memories and multipliers say their capacitance or energy:

- a wire is 4 tiles of 26 fF, and its switch of 3.5 fF; a change costs C·V²/2 at 0.9 V. A net is taken as two wires.
- clock wires have 250 pF per metre, tiles are 90 µm: a register is taken to have a tile of it, charged every clock.
- a memory block of 32 Kbit takes 17.9 pJ at each edge of its clock.
- a multiplier of 18 × 18 takes 1.09 pJ for each input bit that changes; half of its 36 are taken to change every clock.

What it leaves out: static power, inputs and outputs of the part, what changes within a lookup table, glitches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..estimate.costs import Cost

__all__ = ["TABLE", "Energies", "EnergyTable", "energies"]


@dataclass(frozen=True)
class EnergyTable:
    """Picojoules: for each change of a net, and in each clock for a flip-flop, a block RAM and a multiplier."""

    name: str
    net: float
    flip_flop: float
    block_ram: float
    dsp: float


_VOLTS = 0.9
_WIRE_FF = 4 * 26 + 3.5
_CLOCK_FF = 250e-12 * 90e-6 * 1e15
TABLE = EnergyTable(
    "VTR k6_frac_N10_mem32K_40nm",
    net=2 * _WIRE_FF * _VOLTS**2 / 2 / 1000,
    flip_flop=_CLOCK_FF * _VOLTS**2 / 1000,
    block_ram=2 * 17.9,
    dsp=18 * 1.09,
)


@dataclass(frozen=True)
class Energies:
    """Nanojoules of an inference: nets that change, clocks of registers, block RAMs and multipliers."""

    nets: float
    clocks: float
    block_rams: float
    dsps: float

    @property
    def total(self) -> float:
        """Their sum."""
        return self.nets + self.clocks + self.block_rams + self.dsps


def energies(
    changes: Mapping[str, int], costs: Mapping[str, Cost], frames: int, clocks: int, table: EnergyTable = TABLE
) -> dict[str, Energies]:
    """Energy of an inference by layer.

    Parameters
    ----------
    changes : of bits, by layer, in all of a simulation. costs : what each layer takes of the part. frames, clocks : of
        that simulation.
    """
    found = {}
    for layer in dict.fromkeys((*costs, *changes)):
        cost, per_frame = costs.get(layer, Cost()), clocks / frames
        found[layer] = Energies(
            table.net * changes.get(layer, 0) / frames / 1000,
            table.flip_flop * cost.flip_flops * per_frame / 1000,
            table.block_ram * cost.block_rams * per_frame / 1000,
            table.dsp * cost.dsps * per_frame / 1000,
        )
    return found
