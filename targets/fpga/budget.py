"""What an FPGA part offers, out of its profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgeml.errors import InputError
from edgeml.profile import Profile
from edgeml.profile_fields import Field, Real, Whole, Word, check_fields

from .board import BOARD_FIELDS, Board, board_of
from .pll import pll_for

__all__ = ["FAMILIES", "PROFILE_FIELDS", "Budget", "Family", "at_clock", "budget_of"]


@dataclass(frozen=True)
class Family:
    """What parts of a kind have in common.

    Parameters
    ----------
    name : as in profiles. lut_inputs : of a lookup table. block_shapes : (depth, width) of a block RAM.
    synthesis : the yosys command. place : nextpnr's program, or "" where no open tool places this family.
    constraints : the suffix of files with pins and clocks, as its tools read them. pads : yosys commands that put
        buffers at the pins of a whole netlist, where `synthesis` does not.
    estimated_as : the family whose constants the estimates take, where none were fitted to this one; as_many : how many
        lookup tables yosys makes here of what is one there: the median of six designs of GateMate.
    placed_alone : whether nextpnr places a design without the pins of a board.
    dsp : whether there are multipliers that yosys maps to. distributed_ram : whether lookup tables can be small
        memories; else buffers take block RAMs, which are then scarce.
    folded_share : of a part's lookup tables and flip-flops, what a folded design may be estimated at where the fastest
        is wanted: what can be placed and routed in minutes. On iCE40, carries and flip-flops beside no lookup table
        take logic cells too: a third more than there are tables.
    """

    name: str
    lut_inputs: int
    block_shapes: tuple[tuple[int, int], ...]
    synthesis: str
    place: str
    constraints: str
    dsp: bool
    distributed_ram: bool
    folded_share: float = 0.7
    pads: str = ""
    estimated_as: str = ""
    placed_alone: bool = True
    as_many: float = 1.0

    @property
    def fitted(self) -> str:
        """The family whose constants the estimates take: this one, or that which it is taken for."""
        return self.estimated_as or self.name


_XILINX_18K = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
_MACHXO_9K = ((8192, 1), (4096, 2), (2048, 4), (1024, 9), (512, 18))
_GATEMATE_20K = ((16384, 1), (8192, 2), (4096, 5), (2048, 10), (1024, 20), (512, 40))
_ICE40_4K = ((2048, 2), (1024, 4), (512, 8), (256, 16))
FAMILIES = {
    "xcup": Family("xcup", 6, _XILINX_18K, "synth_xilinx -family xcup", "", "xdc", True, True),
    "xc7": Family("xc7", 6, _XILINX_18K, "synth_xilinx -family xc7", "", "xdc", True, True),
    "ecp5": Family("ecp5", 4, _XILINX_18K, "synth_ecp5", "ecp5", "lpf", True, True, 0.35),
    "ice40": Family("ice40", 4, _ICE40_4K, "synth_ice40", "ice40", "pcf", False, False, 0.5),
    "nexus": Family(
        *("nexus", 4, _XILINX_18K, "synth_nexus", "nexus", "pdc", True, True, 0.35),
        estimated_as="ecp5",
        placed_alone=False,
    ),
    "machxo": Family(
        *("machxo", 4, _MACHXO_9K, "synth_lattice -family xo3", "machxo", "lpf", False, True, 0.35),
        estimated_as="ecp5",
        placed_alone=False,
    ),
    "gowin": Family(
        *("gowin", 4, _XILINX_18K, "synth_gowin -noiopads", "gowin", "cst", True, True, 0.35),
        pads="iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O;",
        estimated_as="ecp5",
        placed_alone=False,
    ),
    "gatemate": Family(
        *("gatemate", 4, _GATEMATE_20K, "synth_gatemate -luttree -nomx8 -noiopad -noclkbuf", "gatemate", "ccf"),
        *(False, False, 0.35),
        pads="iopadmap -bits -inpad CC_IBUF Y:I -outpad CC_OBUF A:O; clkbufmap -buf CC_BUFG O:I;",
        estimated_as="ecp5",
        as_many=1.5,
        placed_alone=False,
    ),
}


_COUNT = Whole(0, 10**8, required=True)
_COUNTS = ("luts", "flip_flops", "block_rams", "dsps")
_NAMES = ("part", "device", "package", "speed")
PROFILE_FIELDS: Mapping[str, Field] = {
    "family": Word(tuple(FAMILIES), required=True),
    **dict.fromkeys(_COUNTS, _COUNT),
    "clock_mhz": Real(2000, required=True),
    **dict.fromkeys(_NAMES, Word()),
    **BOARD_FIELDS,
}
"""What a profile of an FPGA says; see `Budget`, and `BOARD_FIELDS` where the part is on a board."""


@dataclass(frozen=True)
class Budget:
    """A part: its family, what it has, and the clock that designs are planned for.

    Parameters
    ----------
    luts, flip_flops, block_rams (of 18 kbit; iCE40: 4, MachXO: 9, GateMate: 20 kbit), dsps : counts. clock_mhz :
    planned clock.
    device, package : nextpnr's names, or "". speed : speed grade, or "".
    part : the vendor's name. board : that it is on, or None; the planned clock is that of its oscillator or PLL then.
    """

    family: Family
    luts: int
    flip_flops: int
    block_rams: int
    dsps: int
    clock_mhz: float
    part: str
    device: str = ""
    package: str = ""
    speed: str = ""
    board: Board | None = None


def at_clock(budget: Budget, mhz: float) -> Budget:
    """The part planned for another clock; on a board, that which its PLL gives nearest to it. InputError where that PLL
    cannot give it."""
    board = budget.board
    if board is None:
        return replace(budget, clock_mhz=mhz)
    pll = None
    if abs(mhz * 1e6 - board.clock_hz) > 1:
        family, die = budget.family.name, budget.package
        pll = pll_for(board.name, family, die, board.clock_at_pll, board.clock_hz, mhz * 1e6)
    board = replace(board, pll=pll)
    return replace(budget, clock_mhz=board.design_hz / 1e6, board=board)


def budget_of(profile: Profile) -> Budget:
    """The budget in a profile; InputError naming the key where one is missing or of a wrong kind."""
    where = f"target {profile.name}"
    if profile.kind != "fpga":
        raise InputError(where, f"is of kind {profile.kind!r}, not fpga")
    check_fields(where, profile.values, PROFILE_FIELDS)
    given = {name: profile.values.get(name, "") for name in (*_COUNTS, *_NAMES)}
    family, clock = FAMILIES[profile.values["family"]], float(profile.values["clock_mhz"])
    return Budget(family, clock_mhz=clock, **given, board=board_of(profile.name, profile.values))
