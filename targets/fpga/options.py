"""The options of the FPGA target: declared, and read into `Asked`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError
from edgeml.options import Choice, Flag, Option, Real, Structured, Whole, read_values

from .architectures.unrolled.layer_logic import ADDER_GRAPHS
from .budget import Budget, at_clock

__all__ = ["ANY", "OPTIONS", "PLACER_SEEDS", "Asked", "LutLimit", "read_options"]

AXI_WIDTHS = ("32", "64", "128")
ANY = "auto"
"""The architecture that does best, whichever it is."""
PLACER_SEEDS = 4
"""Placements that are tried where nothing is said."""


@dataclass(frozen=True)
class LutLimit:
    """The most lookup tables: a count, or a percentage of the part's."""

    amount: float
    percent: bool

    def of(self, luts: int) -> int:
        """The count, for a part that has so many lookup tables."""
        return int(luts * self.amount / 100) if self.percent else int(self.amount)


def _lut_limit(value: Any) -> LutLimit:
    if isinstance(value, str) and value.endswith("%"):
        return LutLimit(float(Real(0.01, 100).read(value[:-1])), percent=True)
    return LutLimit(float(Real(1, 1e9).read(value)), percent=False)


OPTIONS = (
    Option(
        "architecture",
        Choice(("folded", "unrolled", ANY)),
        "Few units used in turns, or all of the network at once; auto: unrolled if that is less than half of the part.",
        default=ANY,
    ),
    Option(
        "adder_graph",
        Choice(ADDER_GRAPHS),
        "Who shares sums of dense layers, unrolled; flat: nobody does, which is the fewest levels of logic.",
        default=ADDER_GRAPHS[0],
    ),
    Option("synthesize", Flag(), "Run yosys, and nextpnr if it can place the part.", default=False),
    Option(
        "synthesis_limit",
        Real(1, 1e7),
        "Processor seconds of yosys, and of nextpnr; what is not finished then is left out of the bundle, and said.",
        otherwise="3600, or the time limit of all tools",
    ),
    Option(
        "placer_seeds",
        Whole(1, 1000),
        "Placements of nextpnr that are tried at most, until one reaches the planned clock; the fastest is kept.",
        default=PLACER_SEEDS,
    ),
    Option(
        "goal",
        Choice(("throughput", "latency", "area")),
        "What fits best: the most frames a second, the least planned time to an answer, or the smallest design.",
        default="throughput",
    ),
    Option(
        "frames_per_second",
        Real(1e-3, 1e9),
        "The cheapest design that reaches this rate at the part's clock.",
        otherwise="as --goal says",
    ),
    Option(
        "max_luts",
        Structured("N|P%", "a number in 1 … 1e+09, or a percentage of the part's in 0.01 … 100", _lut_limit),
        "The most lookup tables, by estimate: a count, or a percentage of the part's.",
        otherwise="what the part has room for",
    ),
    Option(
        "clock_mhz",
        Real(0.1, 2000),
        "The clock that the design is planned for; constraints carry it, and a board's PLL makes it.",
        otherwise="as the part's profile says",
    ),
    Option(
        "register_every",
        Whole(1, 64),
        "Levels of logic for each pipeline register, unrolled.",
        otherwise="registers by planned delay, as few as the clock allows",
    ),
    Option("argmax", Flag(), "Give the class of each frame beside its last value.", default=False),
    Option(
        "axi_width",
        Choice(AXI_WIDTHS),
        "Bits of a word of the streams of packets, in `tops/axi` and `tops/litex`.",
        default=AXI_WIDTHS[1],
    ),
)
"""All options of the target, with their ranges and defaults."""


@dataclass(frozen=True)
class Asked:
    """What the user asked for, by the names of `OPTIONS`; None where nothing was said."""

    architecture: str
    goal: str
    frames_per_second: float | None
    max_luts: LutLimit | None
    clock_mhz: float | None
    register_every: int | None
    adder_graph: str
    argmax: bool
    axi_width: str
    synthesize: bool
    synthesis_limit: float | None
    placer_seeds: int

    @property
    def named(self) -> bool:
        """Whether the architecture is asked for by its name."""
        return self.architecture != ANY

    @property
    def shares_sums(self) -> bool:
        """Whether sums are to be shared by another adder graph than the default."""
        return self.adder_graph != ADDER_GRAPHS[0]

    def at_clock(self, budget: Budget) -> Budget:
        """The part with the clock that is asked for; InputError if the board that it is on cannot give it."""
        return budget if self.clock_mhz is None else at_clock(budget, self.clock_mhz)

    def most_luts(self, budget: Budget) -> int | None:
        """How many lookup tables a design on a part may take; None for as many as the part leaves."""
        return None if self.max_luts is None else self.max_luts.of(budget.luts)


def read_options(given: Mapping[str, Any]) -> Asked:
    """`given` as checked `Asked`; InputError naming the option that is wrong."""
    asked = Asked(**read_values(OPTIONS, given))
    if asked.register_every is not None and asked.goal != "throughput":
        raise InputError(
            "option register_every",
            f"places registers by levels, goal={asked.goal} by planned delay",
            "Leave one of the two out",
        )
    return asked
