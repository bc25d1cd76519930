"""Which of several units a layer gets: the one that takes the least of a part."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import InputError

from ...budget import Budget
from ...estimate.costs import Cost, cost_of
from ...estimate.parts import Parts
from ...layer_hardware import layer_hardware
from .entry import EntryUnit
from .plan import FoldedPlan
from .unit import Unit

__all__ = ["cheapest_units", "share_of"]

_PAYS = 0.8
"""An alternative is taken if it saves a fifth: it may answer some clocks later."""


def share_of(cost: Cost, budget: Budget, most_luts: int | None = None) -> float:
    """What a cost takes of a part: the sum of its shares of lookup tables, flip-flops, block RAMs and multipliers.

    most_luts : how many lookup tables are allowed, in the place of the part's.
    """
    amounts = (
        (cost.luts, budget.luts if most_luts is None else most_luts),
        (cost.flip_flops, budget.flip_flops),
        (cost.block_rams, budget.block_rams),
        (cost.dsps, budget.dsps),
    )
    return sum(amount / max(there, 0.5) for amount, there in amounts)


def cheapest_units(
    plan: FoldedPlan, budget: Budget, most_luts: int | None, constants: Mapping[str, float]
) -> dict[str, str]:
    """For each node of a plan whose kind has alternatives of its unit, and one that takes less of the part than the
    unit that it has, by a fifth and more: the name of the alternative."""

    def share(unit: Unit) -> float:
        parts = Parts()
        unit.add_amounts(parts, budget.family)
        return share_of(cost_of(unit.node.name, parts, constants), budget, most_luts)

    chosen: dict[str, str] = {}
    for unit in (unit for chain in plan.chains for unit in chain.units if not isinstance(unit, EntryUnit)):
        least = share(unit)
        for alternative in layer_hardware(unit.node).alternatives:
            try:
                other = alternative(unit.place)
            except InputError:
                continue
            if (amount := share(other)) < _PAYS * least:
                least = amount
                chosen[unit.node.name] = alternative.alternative
    return chosen
