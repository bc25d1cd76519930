"""How a network is laid out as folded hardware: chains of units, each with a FIFO behind it, and edges between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from edgeml.errors import InputError
from edgeml.network import Network, Node

from ...layer_hardware import layer_unit
from ...verilog.element import Element, type_of
from .entry import EntryUnit
from .folding import Folding, ceil_div
from .unit import Place, Unit

__all__ = ["INPUT", "LARGEST_DEPTH", "Edge", "FoldedPlan", "UnitChain", "make_plan"]

INPUT = "input"
"""The source of edges that start at the input of the network."""
LARGEST_DEPTH = 2**16
"""The most places that a FIFO may have."""
NO_ALTERNATIVES: Mapping[str, str] = MappingProxyType({})


@dataclass
class Edge:
    """A stream from a chain (or the input) to an input port of another, with what stands in between.

    Parameters
    ----------
    source, target : names of chains; source may be `INPUT`.
    channels : elements per frame. element : their type.
    source_lanes, target_lanes : elements per value at both ends; one divides the other.
    fifo_depth : places of a FIFO at the source's end; 0 for none (only forks have one).
    frame_depth : places of a FIFO at the target's end, which collects a frame of what an upsizer gives for a unit
        that `takes_frame_at_once`; 0 for none.
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
class UnitChain:
    """A pipeline without stalls: its first unit takes values, its FIFO gives the results.

    Parameters
    ----------
    name : that of the first node. units : in order. inputs : edges, one for each port of the first unit.
    fifo_depth : places of the FIFO behind it.
    """

    name: str
    units: list[Unit]
    inputs: list[Edge]
    fifo_depth: int = 0

    @property
    def head(self) -> Unit:
        """The unit that takes the values."""
        return self.units[0]

    @property
    def element(self) -> Element:
        """Type of the chain's results."""
        return self.units[-1].output

    @property
    def lanes(self) -> int:
        """Elements per result value."""
        return self.head.pe

    @property
    def channels(self) -> int:
        """Elements per frame of results."""
        return self.units[-1].channels

    @property
    def latency(self) -> int:
        """Clocks from taking the value that completes a result to its push."""
        return sum(unit.latency for unit in self.units)

    @property
    def beats(self) -> int:
        """Result values per frame."""
        return ceil_div(self.channels, self.lanes)

    @property
    def clocks_per_frame(self) -> int:
        """Clocks per frame that the first unit needs."""
        return self.head.clocks_per_frame


@dataclass
class FoldedPlan:
    """A network laid out: chains in computing order; the last one gives the output."""

    network: Network
    chains: list[UnitChain]
    input_lanes: int
    input_element: Element
    foldings: dict[str, Folding] = field(default_factory=dict)

    @property
    def input_beats(self) -> int:
        """Input values per frame."""
        return ceil_div(self.network.input_size, self.input_lanes)

    def takers(self, source: str) -> list[Edge]:
        """The edges that start at a chain (or at `INPUT`)."""
        return [edge for chain in self.chains for edge in chain.inputs if edge.source == source]

    def sources(self) -> list[str]:
        """Where edges may start: the input, and every chain."""
        return [INPUT, *(chain.name for chain in self.chains)]


def make_plan(
    network: Network,
    foldings: Mapping[str, Folding],
    *,
    keep_block_rams: bool = False,
    units: Mapping[str, str] = NO_ALTERNATIVES,
) -> FoldedPlan:
    """Lay out `network` with these foldings, by the name of each chain's first node; others get the least that
    they can have. `units` are alternatives of units, by the name of each node.

    FIFO depths are left at a default that cannot deadlock; `timing.size_fifos` sets better ones. Raises InputError
    naming the layer if it has no hardware or cannot be folded so, or if two neighbours' lanes do not divide each
    other. With `keep_block_rams` small input buffers are kept in flip-flops.
    """
    layout = _Layout(network, keep_block_rams, units)
    for node in network.layers:
        if not layout.appended(node):
            layout.start(node, foldings.get(node.name) or layer_unit(node).least_folding(node, network))
    plan = FoldedPlan(network, layout.chains, layout.input_lanes, layout.input_element, dict(foldings))
    _default_depths(plan)
    return plan


class _Layout:
    """Chains in the making."""

    def __init__(self, network: Network, keep_block_rams: bool, units: Mapping[str, str]) -> None:
        self.network = network
        self.keep_block_rams = keep_block_rams
        self.units = units
        self.input_element = type_of(network.quantizer.low, network.quantizer.high)
        self.input_lanes = 0
        self.chains: list[UnitChain] = []
        self.elements: dict[str, Element] = {network.nodes[0].name: self.input_element}
        self.ends: dict[str, UnitChain] = {}
        """The chain whose results are a node's values, by the name of the node."""

    def appended(self, node: Node) -> bool:
        """Put a node's unit behind the chain that it takes its values from, if it is the only one that does."""
        source = node.inputs[0]
        chain = self.ends.get(source)
        takers = sum(name == source for taker in self.network.layers for name in taker.inputs)
        if layer_unit(node).takes_streams or chain is None or takers != 1:
            return False
        self._add(node, chain, Folding(chain.lanes, chain.lanes))
        del self.ends[source]
        self.ends[node.name] = chain
        return True

    def start(self, node: Node, folding: Folding) -> None:
        """Start a chain with a node."""
        chain = UnitChain(node.name, [], [])
        if not layer_unit(node).takes_streams:
            chain.units.append(EntryUnit(self._place(node, chain, folding)))
        self._add(node, chain, folding)
        if folding.pe not in chain.head.output_lanes(folding.simd, [folding.pe]):
            raise InputError(f"layer {node.name}", f"cannot give {folding.pe} elements per clock for {folding.simd}")
        chain.inputs += [self._edge(name, chain) for name in node.inputs]
        self.chains.append(chain)
        self.ends[node.name] = chain

    def _place(self, node: Node, chain: UnitChain, folding: Folding) -> Place:
        inputs = tuple(self.elements[name] for name in node.inputs)
        return Place(node, self.network, inputs, folding, tuple(chain.units), self.keep_block_rams)

    def _add(self, node: Node, chain: UnitChain, folding: Folding) -> None:
        unit = layer_unit(node, self.units.get(node.name, ""))(self._place(node, chain, folding))
        chain.units.append(unit)
        self.elements[node.name] = unit.output

    def _edge(self, name: str, chain: UnitChain) -> Edge:
        """The stream of a node's values into a chain."""
        producer, taken = self.ends.get(name), chain.head.simd
        if producer is None and not self.input_lanes:
            self.input_lanes = taken
        lanes = producer.lanes if producer else self.input_lanes
        if max(lanes, taken) % min(lanes, taken):
            raise InputError(
                f"layer {chain.name}",
                f"takes {taken} elements per clock from {lanes}: neither divides the other",
                "Choose foldings of which one does",
            )
        source = producer.name if producer else INPUT
        edge = Edge(source, chain.name, self.network.sizes[name], self.elements[name], lanes, taken)
        if taken > lanes and chain.head.takes_frame_at_once:
            edge.frame_depth = edge.target_beats
        return edge


def _default_depths(plan: FoldedPlan) -> None:
    for chain in plan.chains:
        chain.fifo_depth = max(chain.beats, 4)
    for source in plan.sources():
        takers = plan.takers(source)
        if len(takers) > 1:
            for edge in takers:
                edge.fifo_depth = edge.source_beats + 4
