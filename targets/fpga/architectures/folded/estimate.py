"""What a folded design is made of: its units, FIFOs and streams, chain by chain."""

from __future__ import annotations

from ...budget import Family
from ...estimate.memory import add_fifo
from ...estimate.parts import Parts, counter_bits
from .plan import INPUT, Edge, FoldedPlan, UnitChain

__all__ = ["folded_parts", "in_block_ram"]


def folded_parts(plan: FoldedPlan, family: Family) -> dict[str, Parts]:
    """What each chain is made of, by the name of its first node; the fork of an input with several takers is the first
    chain's."""
    found = {chain.name: _chain(chain, family) for chain in plan.chains}
    takers = plan.takers(INPUT)
    if len(takers) > 1:
        first = found[plan.chains[0].name]
        first.luts += 4.0 * len(takers)
        first.flip_flops += len(takers)
    return found


def in_block_ram(plan: FoldedPlan, chain: UnitChain, family: Family) -> bool:
    """Whether a value that a chain takes comes out of block RAM: out of a FIFO without a register behind it."""
    fifos = {each.name: (each.fifo_depth, each.lanes * each.element.bits) for each in plan.chains}
    for edge in chain.inputs:
        parts, lanes = Parts(), max(edge.source_lanes, edge.target_lanes)
        if edge.frame_depth:
            add_fifo(parts, edge.frame_depth, lanes * edge.element.bits, family)
        elif edge.fifo_depth:
            add_fifo(parts, edge.fifo_depth, edge.source_lanes * edge.element.bits, family)
        elif edge.source != INPUT and edge.target_lanes <= edge.source_lanes:
            add_fifo(parts, *fifos[edge.source], family)
        if parts.block_rams:
            return True
    return False


def _chain(chain: UnitChain, family: Family) -> Parts:
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
