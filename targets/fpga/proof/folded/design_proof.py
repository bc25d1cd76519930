"""The proof of a folded core: its wiring, and layer after layer what the units give."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network
from edgeml.proof.claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED

from ...architectures.folded.plan import Edge, FoldedPlan, UnitChain
from ...architectures.folded.unit import Unit
from .encode_claims import encode_claims
from .facts import Facts
from .layer_claims import (
    ChannelClaim,
    NodeClaims,
    Values,
    dense_claims,
    function_claims,
    given_up,
    joined_claims,
    output_claims,
)
from .netlist import Cell, Modules, Netlist
from .tables_claims import tables_claims
from .units.entry import JOINING
from .wiring import Stream, Wiring

__all__ = ["DesignProof", "Tried", "prove_design"]

_FUNCTIONS = ("edgeml_threshold", "edgeml_threshold_line", "edgeml_requantize", "edgeml_lookup")


@dataclass(frozen=True, eq=False)
class Tried:
    """What a unit should do, for a simulation of it: the values that it takes and gives."""

    module: str
    parameters: Mapping[str, int | str]
    sources: tuple[Values, ...]
    result: Values


@dataclass(eq=False)
class DesignProof:
    """What was found of a core.

    Parameters
    ----------
    wiring : a claim for each chain, and one for the output. nodes : by name, in computing order. output : by channel.
    streams : the library modules that stand between units, whose own proofs are not part of this one, with parameters.
    tried : units as they were looked at, by their node.
    """

    network: Network
    wiring: dict[str, ChannelClaim] = field(default_factory=dict)
    nodes: dict[str, NodeClaims] = field(default_factory=dict)
    output: tuple[ChannelClaim, ...] = ()
    streams: list[tuple[str, dict[str, int | str]]] = field(default_factory=list)
    tried: dict[str, Tried] = field(default_factory=dict)


def prove_design(
    network: Network,
    plan: FoldedPlan,
    modules: Modules,
    core: str,
    announce: Callable[[str], None] = lambda place: None,
    *,
    seconds: float = 1800.0,
) -> DesignProof:
    """Prove each layer of a core, or say why not. `seconds` : processor time; what is left then is out of time.

    The plan only says which instance is which: a core that is joined in another way is not proved.
    """
    try:
        top = Netlist(modules, core, keep={modules.own_name(name) for name in modules.content})
    except CheckFailed as error:
        nodes = {node.name: given_up(node, network, "", OPEN, "its core is not sound") for node in network.layers}
        output = (ChannelClaim(OPEN, "its core is not sound"),) * network.output_size
        return DesignProof(network, {"core": ChannelClaim(OPEN, str(error))}, nodes, output)
    return _Proof(network, plan, top, Facts(modules), announce, time.process_time() + seconds).proved()


class _Proof:
    """The proof in the making. values : of each node that is behind what was looked at."""

    def __init__(
        self,
        network: Network,
        plan: FoldedPlan,
        top: Netlist,
        facts: Facts,
        announce: Callable[[str], None],
        until: float,
    ) -> None:
        self.network, self.plan, self.top, self.facts = network, plan, top, facts
        self.announce, self.until = announce, until
        self.found = DesignProof(network)
        self.values: dict[str, Values] = {}
        self.ends: dict[str, str] = {}
        """The node whose values a chain gives."""

    def proved(self) -> DesignProof:
        network, first = self.network, self.network.nodes[0]
        wiring = Wiring(self.top)
        reach, element = network.ranges[first.name], self.plan.input_element
        zero = np.zeros(network.input_size, np.int64)
        low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
        self.values[first.name] = Values(self.plan.input_lanes, element.bits, low, high, zero)
        for chain in self.plan.chains:
            self._chain(wiring, chain)
        self._output(wiring)
        return self.found

    def _chain(self, wiring: Wiring, chain: UnitChain) -> None:
        cells: dict[str, Cell] = {}
        try:
            cells = {unit.name: wiring.cell(f"{unit.name}_unit", unit.module) for unit in chain.units}
            sources = [self._edge(wiring, chain, port, cells[chain.head.name]) for port in range(len(chain.inputs))]
            _join_chain(wiring, chain, [cells[unit.name] for unit in chain.units])
            self.found.wiring[chain.name] = ChannelClaim(PROVED)
        except CheckFailed as error:
            self.found.wiring[chain.name] = ChannelClaim(OPEN, str(error))
            sources = [self._as_planned(edge, chain) for edge in chain.inputs]
        self.found.streams += [
            (cell.kind, dict(cell.parameters)) for name, cell in wiring.cells.items() if name == f"{chain.name}_fifo"
        ]
        values: list[Values | None] = list(sources)
        for unit in chain.units:
            cell = cells.get(unit.name)
            values = [self._unit(unit, cell, values)]
        self.ends[chain.name] = chain.units[-1].node.name
        (end,) = values
        if end is not None:
            self.values[self.ends[chain.name]] = end

    def _as_planned(self, edge: Edge, chain: UnitChain) -> Values | None:
        given = self.values.get(self.ends.get(edge.source, self.network.nodes[0].name))
        return None if given is None else replace(given, lanes=chain.head.simd)

    def _edge(self, wiring: Wiring, chain: UnitChain, port: int, head: Cell) -> Values | None:
        """The values that a port takes, by what stands between it and where they come from."""
        prefix, edge = chain.head.port_names[port], chain.inputs[port]
        source, passed = wiring.back(wiring.stream(head, prefix))
        expected = f"{edge.source}_fifo" if edge.source in self.ends else ""
        if source != expected:
            raise CheckFailed(
                f"instance {head.name}", f"takes from {source or 'the input'}, not {expected or 'the input'}"
            )
        values = self.values.get(self.ends.get(edge.source, self.network.nodes[0].name))
        if values is None:
            return None
        lanes = values.lanes
        for cell in passed:
            self.found.streams.append((cell.kind, dict(cell.parameters)))
            lanes = _lanes_behind(cell, lanes, values)
        return replace(values, lanes=lanes)

    def _unit(self, unit: Unit, cell: Cell | None, sources: list[Values | None]) -> Values | None:
        """The values behind a unit; its node's claims, unless it is the entry of a chain."""
        node, network = unit.node, self.network
        if unit.module == "edgeml_pass" and cell is not None:
            try:
                problem = "; ".join(fact.problem for fact in self.facts.of(cell) if fact.problem)
            except CheckFailed as error:
                problem = str(error)
            if problem:
                self.found.wiring[unit.name] = ChannelClaim(OPEN, problem)
            return sources[0]
        self.announce(f"proving {node.name}")
        begun = time.process_time()
        values = None
        if begun > self.until:
            claims = given_up(node, network, unit.name, OUT_OF_TIME, "")
        elif cell is None or any(each is None for each in sources):
            claims = given_up(node, network, unit.name, OPEN, "what it takes is not known")
        else:
            taken = [each for each in sources if each is not None]
            try:
                claims, values = self._claims(unit, cell, taken)
                if values is not None:
                    self.found.tried[node.name] = Tried(cell.kind, cell.parameters, tuple(taken), values)
            except CheckFailed as error:
                claims = given_up(node, network, unit.name, OPEN, str(error))
        took = round(time.process_time() - begun, 3)
        self.found.nodes[node.name] = replace(claims, seconds=took)
        return values

    def _claims(self, unit: Unit, cell: Cell, sources: list[Values]) -> tuple[NodeClaims, Values | None]:
        node, network = unit.node, self.network
        facts, netlist = self.facts.of(cell), self.facts.netlist(cell.module)
        if cell.kind == "edgeml_mvu":
            return dense_claims(node, network, cell, netlist, facts, sources[0])
        if cell.kind in _FUNCTIONS:
            return function_claims(node, network, cell, netlist, facts, sources[0])
        if cell.kind == "edgeml_tables":
            return tables_claims(node, network, cell, netlist, facts, sources[0])
        if cell.kind == "edgeml_encode":
            return encode_claims(node, network, cell, netlist, facts, sources[0])
        if cell.kind in JOINING:
            return joined_claims(node, network, cell, facts, sources)
        return given_up(node, network, unit.name, NOT_TRIED, f"proofs do not know {cell.kind}"), None

    def _output(self, wiring: Wiring) -> None:
        last, ports = self.plan.chains[-1], self.top.ports
        values = self.values.get(self.ends[last.name])
        try:
            source, passed = wiring.back(Stream(ports["out_valid"], ports["out_ready"], ports["out_data"]))
            if source != f"{last.name}_fifo" or passed:
                raise CheckFailed("the output", f"comes from {source or 'the input'}")
            self.found.wiring["output"] = ChannelClaim(PROVED)
        except CheckFailed as error:
            self.found.wiring["output"] = ChannelClaim(OPEN, str(error))
        if values is None:
            self.found.output = (ChannelClaim(OPEN, "what it takes is not known"),) * self.network.output_size
            return
        self.found.output = output_claims(
            self.network, values, last.element.bits, last.element.signed, ports["out_data"]
        )


def _join_chain(wiring: Wiring, chain: UnitChain, cells: list[Cell]) -> None:
    """Each unit gets what the one before pushes; the FIFO gets the last one's, and keeps places for the first."""
    for before, after in pairwise(cells):
        wiring.same((before, "push"), (after, "in_push"))
        wiring.same((before, "push_data"), (after, "in_data"))
    fifo = wiring.cell(f"{chain.name}_fifo", "edgeml_fifo")
    wiring.same((cells[-1], "push"), (fifo, "push"))
    wiring.same((cells[-1], "push_data"), (fifo, "push_data"))
    wiring.same((cells[0], "reserve"), (fifo, "reserve"))
    wiring.same((fifo, "can_reserve"), (cells[0], "can_reserve"))
    if fifo.parameters["WIDTH"] != len(fifo.ports["push_data"]):
        raise CheckFailed(f"instance {fifo.name}", "is not as wide as what it takes")


def _lanes_behind(cell: Cell, lanes: int, values: Values) -> int:
    """Elements in a beat behind what stands between units, if it counts frames as they are."""
    given: Mapping[str, int | str] = cell.parameters
    width = lanes * values.bits
    if cell.kind == "edgeml_stream_fifo" and given["WIDTH"] == width:
        return lanes
    if cell.kind == "edgeml_fork":
        return lanes
    if cell.kind == "edgeml_upsizer" and given["WIDTH"] == width and given["IN_BEATS"] == values.beats(lanes):
        return lanes * int(given["RATIO"])
    if cell.kind == "edgeml_downsizer" and int(given["WIDTH"]) * int(given["RATIO"]) == width:
        narrow = int(given["WIDTH"]) // values.bits
        if narrow * values.bits == given["WIDTH"] and given["OUT_BEATS"] == values.beats(narrow):
            return narrow
    raise CheckFailed(f"instance {cell.name}", f"does not fit beats of {lanes} × {values.bits} bits")
