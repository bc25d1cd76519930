"""The network as a picture: a box for each layer, from input to output, with what its values can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..network import Network
from .blocks import Block
from .text import text

__all__ = ["MOST_BOXES", "Box", "Graph", "graph"]

MOST_BOXES = 48
"""Layers up to which a network is drawn."""
_BOX, _HEIGHT, _GAP = 300, 46, 22
_LEFT, _WIDTH, _LANE = 8, 420, 14


@dataclass(frozen=True)
class Box:
    """A layer: where its box begins, its name, what it is, and the values that can occur."""

    top: int
    name: str
    about: str
    values: str


@dataclass(frozen=True)
class Graph(Block):
    """Boxes below each other, and the path of each edge between them."""

    template = "graph.svg"
    boxes: Sequence[Box]
    edges: Sequence[str]

    left: ClassVar[int] = _LEFT
    width: ClassVar[int] = _WIDTH
    box_width: ClassVar[int] = _BOX
    box_height: ClassVar[int] = _HEIGHT

    def __bool__(self) -> bool:
        return bool(self.boxes)

    @property
    def height(self) -> int:
        """Of the whole picture."""
        return len(self.boxes) * (_HEIGHT + _GAP) - _GAP + 2


def graph(network: Network) -> Graph:
    """The picture of the network; nothing of one that has more than `MOST_BOXES` layers.

    Layers stand in their order. Edges to the next layer are straight; those that skip layers run at the side, a lane
    each.
    """
    if len(network.nodes) > MOST_BOXES:
        return Graph((), ())
    place = {node.name: index for index, node in enumerate(network.nodes)}
    boxes, edges = [], []
    lanes: list[int] = []  # the last place that each lane is taken up to
    for index, node in enumerate(network.nodes):
        top = index * (_HEIGHT + _GAP)
        value_range = network.ranges[node.name]
        low, high = value_range.bounds
        about = f"{node.layer.kind.replace('_', ' ')}, {value_range.channels:,} × {value_range.bits} bits"
        boxes.append(Box(top, node.name, about, f"{text(low)} … {text(high)}"))
        for name in node.inputs:
            start = place[name]
            if start == index - 1:
                edges.append(f"M{_LEFT + _BOX / 2:g} {top - _GAP + 1}V{top + 1}")
                continue
            lane = next((lane for lane, end in enumerate(lanes) if end <= start), len(lanes))
            lanes[lane : lane + 1] = [index]
            side, right = _LEFT + _BOX, _LEFT + _BOX + _LANE * (1 + min(lane, 6))
            leaves, enters = start * (_HEIGHT + _GAP) + _HEIGHT / 2 + 1, top + _HEIGHT / 2 - 7
            edges.append(f"M{side} {leaves:g}H{right}V{enters:g}H{side}")
    return Graph(boxes, edges)
