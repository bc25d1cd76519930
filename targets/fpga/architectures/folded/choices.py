"""What is chosen for a folded design, and the plan that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgeml.network import Network

from ..stored_choices import StoredChoices
from .folding import Folding
from .plan import LARGEST_DEPTH, FoldedPlan, make_plan

__all__ = ["FoldedChoices", "choices_of", "plan_of", "read_choices"]

_LARGEST_FOLD = 2**16


@dataclass(frozen=True)
class FoldedChoices:
    """The choices.

    Parameters
    ----------
    folds : elements per clock, by the name of a chain's first node; others: one.
    fifo_depths : per chain, and `source>target.port` for edges; others: a default that cannot deadlock.
    keep_block_rams : whether small input buffers are kept in flip-flops.
    units : the alternative that a node has for a unit (`LayerHardware.alternatives`), by its name; others: none.
    """

    folds: Mapping[str, Folding] = field(default_factory=dict)
    fifo_depths: Mapping[str, int] = field(default_factory=dict)
    keep_block_rams: bool = False
    units: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `design.json` holds them."""
        return {
            "folds": {name: {"pe": fold.pe, "simd": fold.simd} for name, fold in self.folds.items()},
            "fifo_depths": dict(self.fifo_depths),
            "keep_block_rams": self.keep_block_rams,
            **({"units": dict(self.units)} if self.units else {}),
        }


def read_choices(stored: StoredChoices) -> FoldedChoices:
    """Inverse of `FoldedChoices.as_json`; InputError if a value is not sound."""
    folds = {name: Folding(pe, simd) for name, (pe, simd) in stored.folds("folds", _LARGEST_FOLD).items()}
    depths = stored.counts("fifo_depths", LARGEST_DEPTH)
    return FoldedChoices(folds, depths, stored.flag("keep_block_rams"), stored.names("units"))


def choices_of(plan: FoldedPlan) -> FoldedChoices:
    """The choices that a plan embodies."""
    depths = {chain.name: chain.fifo_depth for chain in plan.chains}
    for chain in plan.chains:
        for port, edge in enumerate(chain.inputs):
            if edge.fifo_depth:
                depths[f"{edge.source}>{edge.target}.{port}"] = edge.fifo_depth
    folds = {chain.name: chain.head.folding for chain in plan.chains}
    keep = any(chain.head.keeps_block_rams for chain in plan.chains)
    units = {unit.node.name: unit.alternative for chain in plan.chains for unit in chain.units if unit.alternative}
    return FoldedChoices(folds, depths, keep, units)


def plan_of(network: Network, choices: FoldedChoices) -> FoldedPlan:
    """Inverse of `choices_of`."""
    plan = make_plan(network, choices.folds, keep_block_rams=choices.keep_block_rams, units=choices.units)
    for chain in plan.chains:
        chain.fifo_depth = choices.fifo_depths.get(chain.name, chain.fifo_depth)
        for port, edge in enumerate(chain.inputs):
            if edge.fifo_depth:
                key = f"{edge.source}>{edge.target}.{port}"
                edge.fifo_depth = max(choices.fifo_depths.get(key, edge.fifo_depth), edge.source_beats)
    return plan
