"""What a design costs: lookup tables, flip-flops, block RAMs and multipliers per layer, before any tool is run.

Every architecture says what its units are made of (`Architecture.parts`); how many lookup tables synthesis makes of
each kind of logic was fitted to yosys (`constants`), and `make bench-fpga` prints how far off the estimates are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgeml.errors import InputError

from ..budget import Budget, Family
from .constants import ERRORS
from .parts import Parts

__all__ = ["NOTHING", "Cost", "accuracy", "constants_of", "cost_of", "interval", "total", "within"]


_FEW_CELLS = 10
_WIDER = 1.3
"""By how much the ends are further away on a family whose constants are another's: Gowin, Nexus, MachXO, GateMate."""


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


NOTHING = Cost()


def total(costs: Mapping[str, Cost]) -> Cost:
    """Sum over layers."""
    return sum(costs.values(), Cost())


def within(whole: Cost, budget: Budget, share: float, most_luts: int | None, form: str) -> bool:
    """Whether a cost stays within a share of a part's lookup tables and flip-flops, and its memories and multipliers;
    and the most that designs of this form may take within the part.

    most_luts : how many lookup tables are allowed, in the place of the share of the part's; None for no such limit.
    """
    _, upper = interval(whole, form, budget.family)
    return (
        whole.luts <= (budget.luts * share if most_luts is None else most_luts)
        and whole.flip_flops <= budget.flip_flops * share
        and upper.luts <= budget.luts
        and upper.flip_flops <= budget.flip_flops
        and whole.block_rams <= budget.block_rams
        and whole.dsps <= budget.dsps
    )


def constants_of(family: Family) -> str:
    """The name of the family's constants in `constants`."""
    return "xilinx" if family.lut_inputs == 6 else family.fitted


def cost_of(layer: str, parts: Parts, constants: Mapping[str, float]) -> Cost:
    """Cells of a layer's amounts of logic; InputError naming the layer and a kind of logic that has no constant."""
    if unknown := sorted(set(parts.logic) - set(constants)):
        raise InputError(
            f"layer {layer}",
            f"its hardware counts logic of kind {unknown[0]!r}, which has no constant",
            f"Count in one of {', '.join(constants)}",
        )
    luts = parts.luts + sum(constants[kind] * amount for kind, amount in parts.logic.items())
    return Cost(luts, round(parts.flip_flops), parts.block_rams, parts.dsps)


def interval(whole: Cost, form: str, family: Family) -> tuple[Cost, Cost]:
    """The least and the most that a design takes, by how far estimates of designs of its form were off.

    Of a form that was not compared, as wide as of any; on a family that no constants were fitted to, wider; a few cells
    more of any, for designs of few. Block RAMs and multipliers are counted, and taken as they are.
    """
    compared = [ERRORS[form]] if form in ERRORS else list(ERRORS.values())
    luts = [each.luts[constants_of(family)] for each in compared]
    flip_flops = [each.flip_flops for each in compared]
    wider = 1.0 if family.fitted == family.name else _WIDER
    ends = []
    for side, most, few, apart in ((0, min, -_FEW_CELLS, 1 / wider), (1, max, _FEW_CELLS, wider)):
        of_luts = whole.luts * most(pair[side] for pair in luts) * apart + few
        of_flip_flops = whole.flip_flops * most(pair[side] for pair in flip_flops) + few
        ends.append(replace(whole, luts=max(of_luts, 0.0), flip_flops=max(round(of_flip_flops), 0)))
    return ends[0], ends[1]


def accuracy(form: str, family: Family) -> str:
    """A sentence on how far estimates were from yosys over designs of this form; "" if none were compared.

    form : as `Architecture.estimated_form` gives it, such as `int8, folded`.
    """
    if family.fitted != family.name:
        return f"by the constants of {family.fitted}: none were fitted to {family.name}"
    if form not in ERRORS:
        return ""
    found = ERRORS[form]
    off = f"lookup tables were {found.median:.0%} off yosys's on the median, {found.worst:.0%} at worst"
    return f"{off}, over {found.designs} designs of this form"
