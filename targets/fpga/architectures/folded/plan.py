"""How a network is laid out as hardware: segments (a unit, what follows it in a pipeline, a FIFO) and edges between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeml.errors import InputError
from edgeml.network import Network

from ...verilog.text import Element, type_of
from .dense import DenseOperation
from .operation import Operation
from .operations import operation_class

__all__ = ["Edge", "Fold", "Plan", "Segment", "ceil_div", "make_plan"]

INPUT = "input"


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class Fold:
    """How many elements a unit handles per clock: `simd` of its input, `pe` of its output (equal but for dense)."""

    pe: int
    simd: int


@dataclass
class Edge:
    """A stream from a segment (or the input) to an input port of another, with what stands in between.

    Parameters
    ----------
    source, target : names of segments; source may be `input`.
    channels : elements per frame. element : their type.
    source_lanes, target_lanes : elements per value at both ends; one divides the other.
    fifo_depth : places of a FIFO at the source's end; 0 for none (only forks have one).
    frame_depth : places of a FIFO at the target's end; 0 for none. A dense layer that works on its inputs several
        times takes them all in one go; behind an upsizer, which is slower than that, they are collected here.
    """

    source: str
    target: str
    channels: int
    element: Element
    source_lanes: int
    target_lanes: int
    fifo_depth: int = 0
    frame_depth: int = 0

    @property
    def source_beats(self) -> int:
        """Values per frame at the source's end."""
        return ceil_div(self.channels, self.source_lanes)

    @property
    def target_beats(self) -> int:
        """Values per frame at the target's end."""
        return ceil_div(self.channels, self.target_lanes)


@dataclass
class Segment:
    """A pipeline without stalls: its first operation takes values, its FIFO gives the results.

    Parameters
    ----------
    name : that of the first node. operations : in order. inputs : edges, one per port of the first operation.
    fifo_depth : places of the FIFO behind it.
    """

    name: str
    operations: list[Operation]
    inputs: list[Edge]
    fifo_depth: int = 0

    @property
    def head(self) -> Operation:
        """The operation that takes the values."""
        return self.operations[0]

    @property
    def element(self) -> Element:
        """Type of the segment's results."""
        return self.operations[-1].output

    @property
    def lanes(self) -> int:
        """Elements per result value."""
        return self.head.pe

    @property
    def channels(self) -> int:
        """Elements per frame of results."""
        return self.operations[-1].channels

    @property
    def latency(self) -> int:
        """Clocks from taking the value that completes a result to its push."""
        return sum(operation.latency for operation in self.operations)

    @property
    def beats(self) -> int:
        """Result values per frame."""
        return ceil_div(self.channels, self.lanes)

    @property
    def steps(self) -> int:
        """Clocks per frame that the first operation needs."""
        return self.head.steps


@dataclass
class Plan:
    """A network laid out: segments in computing order; the last one gives the output."""

    network: Network
    segments: list[Segment]
    input_lanes: int
    input_element: Element
    folds: dict[str, Fold] = field(default_factory=dict)

    @property
    def input_beats(self) -> int:
        """Input values per frame."""
        return ceil_div(self.network.input_size, self.input_lanes)

    def takers(self, source: str) -> list[Edge]:
        """The edges that start at a segment (or at the input)."""
        return [edge for segment in self.segments for edge in segment.inputs if edge.source == source]


def make_plan(network: Network, folds: Mapping[str, Fold], *, keep_block_rams: bool = False) -> Plan:
    """Lay out `network` with these folds, by the name of each segment's first node (others: one lane).

    FIFO depths are left at a default that cannot deadlock; `timing.size_fifos` sets better ones. Raises InputError
    where two neighbours' lanes do not divide each other, or a layer has no hardware. With `keep_block_rams` small
    input buffers are kept in flip-flops.
    """
    quantizer = network.nodes[0]
    input_element = type_of(network.quantizer.low, network.quantizer.high)
    consumers: dict[str, int] = {}
    for node in network.layers:
        for name in node.inputs:
            consumers[name] = consumers.get(name, 0) + 1

    segments: list[Segment] = []
    by_output: dict[str, Segment] = {}
    elements: dict[str, Element] = {quantizer.name: input_element}
    input_lanes = 0
    for node in network.layers:
        kind = operation_class(node)
        (source, *_) = node.inputs
        segment = by_output.get(source)
        if not kind.is_head and segment is not None and consumers[source] == 1:
            operation = kind(node, network, [elements[source]], Fold(segment.lanes, segment.lanes), segment.operations)
            segment.operations.append(operation)
            del by_output[source]
        else:
            fold = folds.get(node.name, Fold(1, 1))
            before: list[Operation] = []
            if not kind.is_head:
                before = [operation_class("pass")(node, network, [elements[source]], fold, [])]
            operation = kind(node, network, [elements[name] for name in node.inputs], fold, before)
            segment = Segment(node.name, [*before, operation], [])
            segments.append(segment)
            for name in node.inputs:
                producer = by_output.get(name)
                if producer is None and not input_lanes:
                    input_lanes = fold.simd
                lanes = producer.lanes if producer else input_lanes
                edge = Edge(
                    producer.name if producer else INPUT,
                    segment.name,
                    network.sizes[name],
                    elements[name],
                    lanes,
                    fold.simd,
                )
                if max(lanes, fold.simd) % min(lanes, fold.simd):
                    raise InputError(
                        f"layer {node.name}",
                        f"takes {fold.simd} elements per clock from {lanes}: neither divides the other",
                        "Choose folds where one does",
                    )
                if fold.simd > lanes and isinstance(operation, DenseOperation) and operation.beats > 1:
                    edge.frame_depth = edge.target_beats
                segment.inputs.append(edge)
        elements[node.name] = operation.output
        by_output[node.name] = segment
    for segment in segments:
        if isinstance(segment.head, DenseOperation):
            segment.head.keep_block_rams = keep_block_rams
    plan = Plan(network, segments, input_lanes, input_element, dict(folds))
    _default_depths(plan)
    return plan


def _default_depths(plan: Plan) -> None:
    for segment in plan.segments:
        segment.fifo_depth = max(segment.beats, 4)
    for source in [INPUT, *(segment.name for segment in plan.segments)]:
        takers = plan.takers(source)
        if len(takers) > 1:
            for edge in takers:
                edge.fifo_depth = edge.source_beats + 4
