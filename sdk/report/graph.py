"""The network as a picture: a box for each layer, from input to output, with what its values can be."""

from __future__ import annotations

from html import escape

from ..network import Network
from .markup import text

__all__ = ["MOST_BOXES", "graph"]

MOST_BOXES = 48
"""Layers up to which a network is drawn."""
_BOX, _HEIGHT, _GAP = 300, 46, 22
_LEFT, _WIDTH, _LANE = 8, 420, 14
_LONGEST = 30


def graph(network: Network) -> str:
    """An SVG of the network; empty where it has more than `MOST_BOXES` layers.

    Layers stand in their order. Edges to the next layer are straight; those that skip layers run at the side, a lane
    each.
    """
    if len(network.nodes) > MOST_BOXES:
        return ""
    place = {node.name: index for index, node in enumerate(network.nodes)}
    boxes, edges = [], []
    lanes: list[int] = []  # the last place that each lane is taken up to
    for index, node in enumerate(network.nodes):
        top = index * (_HEIGHT + _GAP)
        value_range = network.ranges[node.name]
        low, high = value_range.bounds
        boxes.append(
            f'<rect class="box" x="{_LEFT}" y="{top + 1}" width="{_BOX}" height="{_HEIGHT}" rx="8"/>'
            f'<text class="name" x="{_LEFT + 12}" y="{top + 19}">{_short(node.name)}</text>'
            f'<text x="{_LEFT + 12}" y="{top + 37}">{_short(node.layer.kind.replace("_", " "))}, '
            f"{value_range.channels:,} × {value_range.bits} bits</text>"
            f'<text x="{_LEFT + _BOX - 12}" y="{top + 37}" text-anchor="end">{text(low)} … {text(high)}</text>'
        )
        for name in node.inputs:
            start = place[name]
            if start == index - 1:
                middle = _LEFT + _BOX / 2
                edges.append(f'<path class="edge" d="M{middle:g} {top - _GAP + 1}V{top + 1}"/>')
                continue
            lane = next((lane for lane, end in enumerate(lanes) if end <= start), len(lanes))
            lanes[lane : lane + 1] = [index]
            side, right = _LEFT + _BOX, _LEFT + _BOX + _LANE * (1 + min(lane, 6))
            leaves, enters = start * (_HEIGHT + _GAP) + _HEIGHT / 2 + 1, top + _HEIGHT / 2 - 7
            edges.append(f'<path class="edge" d="M{side} {leaves:g}H{right}V{enters:g}H{side}"/>')
    height = len(network.nodes) * (_HEIGHT + _GAP) - _GAP + 2
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="The network, layer by layer">'
        f"{''.join(edges)}{''.join(boxes)}</svg>"
    )


def _short(name: str) -> str:
    return escape(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…")
