"""What a design costs: lookup tables, flip-flops, block RAMs and multipliers per layer, before any tool is run.

The amounts of logic follow the RTL (`Unit.add_amounts`, and the `estimate.py` of each architecture); how many lookup
tables synthesis makes of each kind was fitted to yosys (`constants`), and `make bench-fpga` prints how far off the
estimates are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeml.errors import InputError
from edgeml.network import Network

from ..architectures.event_driven.plan import SpikingPlan, is_spiking
from ..budget import Family
from ..layer_hardware import compared_form
from .constants import ERRORS, SPIKING
from .event_driven import spiking_features
from .parts import Parts

__all__ = ["Cost", "accuracy", "constants_of", "cost_of", "estimate_spiking", "total"]


@dataclass(frozen=True)
class Cost:
    """Cells of a layer or of a design; `luts` are lookup tables of the part, two for each CCU2C of ECP5."""

    luts: float = 0.0
    flip_flops: int = 0
    block_rams: int = 0
    dsps: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.luts + other.luts,
            self.flip_flops + other.flip_flops,
            self.block_rams + other.block_rams,
            self.dsps + other.dsps,
        )


def total(costs: Mapping[str, Cost]) -> Cost:
    """Sum over layers."""
    return sum(costs.values(), Cost())


def constants_of(family: Family) -> str:
    """The name of the family's constants in `constants`."""
    return "xilinx" if family.lut_inputs == 6 else family.name


def cost_of(parts: Parts, constants: Mapping[str, float]) -> Cost:
    """Cells of amounts of logic; InputError naming a kind of logic that has no constant."""
    if unknown := sorted(set(parts.logic) - set(constants)):
        raise InputError(f"kind of logic {unknown[0]!r}", "has no constant", f"Count in one of {', '.join(constants)}")
    luts = parts.luts + sum(constants[kind] * amount for kind, amount in parts.logic.items())
    return Cost(luts, round(parts.flip_flops), parts.block_rams, parts.dsps)


def estimate_spiking(plan: SpikingPlan, family: Family) -> dict[str, Cost]:
    """Cost per layer; the encoder of the input belongs to the first."""
    constants = SPIKING[constants_of(family)]
    return {layer: cost_of(parts, constants) for layer, parts in spiking_features(plan, family).items()}


def accuracy(network: Network, architecture: str) -> str:
    """A sentence on how far estimates were from yosys over designs of this form; "" if none were compared."""
    form = "spiking" if is_spiking(network) else compared_form(network)
    if form != "quantized":
        form = f"{form}, {architecture}"
    if form not in ERRORS:
        return ""
    median, worst, count = ERRORS[form]
    off = f"lookup tables were {median:.0%} off yosys's on the median, {worst:.0%} at worst"
    return f"{off}, over {count} designs of this form"
