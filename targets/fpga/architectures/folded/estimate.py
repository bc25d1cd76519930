"""What a folded design is made of, and what it costs: its units, FIFOs and streams, chain by chain."""

from __future__ import annotations

from ...budget import Family
from ...estimate.constants import FOLDED
from ...estimate.costs import Cost, constants_of, cost_of
from ...estimate.memory import add_fifo
from ...estimate.parts import Parts, counter_bits
from .plan import INPUT, Edge, FoldedPlan, UnitChain

__all__ = ["estimate_folded", "folded_amounts"]


def estimate_folded(plan: FoldedPlan, family: Family) -> dict[str, Cost]:
    """Cost of each chain, by the name of its first node."""
    constants = FOLDED[constants_of(family)]
    costs = {chain.name: cost_of(folded_amounts(chain, family), constants) for chain in plan.chains}
    takers = plan.takers(INPUT)
    if len(takers) > 1:
        first = plan.chains[0].name
        costs[first] = costs[first] + Cost(float(4 * len(takers)), len(takers))
    return costs


def folded_amounts(chain: UnitChain, family: Family) -> Parts:
    """What a chain is made of: its units, its FIFO, and the streams that lead to it (`estimate.parts` lists the kinds
    of logic)."""
    parts = Parts()
    parts.add("unit", float(len(chain.units)))
    for unit in chain.units:
        unit.add_amounts(parts, family)
    add_fifo(parts, chain.fifo_depth, chain.lanes * chain.element.bits, family)
    for edge in chain.inputs:
        _add_edge(parts, edge, family)
    return parts


def _add_edge(parts: Parts, edge: Edge, family: Family) -> None:
    """Width converters and FIFOs between chains."""
    bits = edge.element.bits
    wide = max(edge.source_lanes, edge.target_lanes) * bits
    ratio = max(edge.source_lanes, edge.target_lanes) // min(edge.source_lanes, edge.target_lanes)
    if edge.target_lanes > edge.source_lanes:
        counters = counter_bits(ratio) + counter_bits(edge.source_beats)
        parts.flip_flops += wide + counters + 1
        parts.add("stream", 0.5 * wide + counter_bits(edge.source_beats) + counter_bits(ratio) + 4.0)
        if edge.frame_depth:
            add_fifo(parts, edge.frame_depth, wide, family)
    elif edge.target_lanes < edge.source_lanes:
        counters = counter_bits(edge.target_beats) + counter_bits(ratio)
        parts.flip_flops += counters
        inputs = 4 if family.lut_inputs == 6 else 2
        parts.add("stream", edge.target_lanes * bits * -(-ratio // inputs) + counters + 4.0)
    if edge.fifo_depth:
        add_fifo(parts, edge.fifo_depth, edge.source_lanes * bits, family)
