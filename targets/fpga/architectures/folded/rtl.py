"""Verilog of a plan: one core module that instantiates the library's units and connects them."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import InputError

from ...verilog.shipped_modules import library_text
from ...verilog.stream import Stream, stream_ports
from ...verilog.writer import CLOCK, Verilog
from .plan import INPUT, Edge, FoldedPlan, UnitChain

__all__ = ["core", "library_modules"]


def library_modules(plan: FoldedPlan) -> dict[str, bytes]:
    """The library modules that the core needs: text by file name, in the order of their names.

    Raises InputError naming the layer if its unit brings a module whose name another module has.
    """
    names = {"edgeml_fifo.v"}
    for chain in plan.chains:
        for edge in chain.inputs:
            if edge.fifo_depth or edge.frame_depth:
                names.add("edgeml_stream_fifo.v")
            if edge.target_lanes > edge.source_lanes:
                names.add("edgeml_upsizer.v")
            if edge.target_lanes < edge.source_lanes:
                names.add("edgeml_downsizer.v")
    if any(len(plan.takers(name)) > 1 for name in plan.sources()):
        names.add("edgeml_fork.v")
    texts = {name: library_text(name) for name in names}
    for unit in (unit for chain in plan.chains for unit in chain.units):
        for name in unit.modules:
            text = unit.module_text(name)
            if texts.setdefault(name, text) != text:
                raise InputError(f"layer {unit.node.name}", f"brings a module {name}, but another has that name")
    return dict(sorted(texts.items()))


def core(plan: FoldedPlan, name: str, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: in_* takes input values, out_* gives results; `facts` go into its header."""
    last = plan.chains[-1]
    source = Stream("in", plan.input_lanes * plan.input_element.bits)
    verilog = Verilog()
    verilog.header(
        f"{name}: the network {plan.network.name} on the folded architecture, made by edgeml.",
        "",
        f"A frame is {plan.input_beats} input values of {plan.input_lanes} elements and {last.beats} output "
        f"values of {last.lanes} elements,",
        "lowest index first, in the lowest bits; what stands beyond the last element is ignored or of no meaning.",
        facts=facts,
    )
    with verilog.module(name, stream_ports(source.width, last.lanes * last.element.bits)):
        _to_takers(verilog, plan, INPUT, source)
        for chain in plan.chains:
            result = _chain(verilog, plan, chain)
            if chain is last:
                result.feed(verilog, "out")
            else:
                _to_takers(verilog, plan, chain.name, result)
    return verilog.text()


def _port_stream(plan: FoldedPlan, edge: Edge) -> Stream:
    """The stream at the port of the chain that takes an edge."""
    target = next(c for c in plan.chains if c.name == edge.target)
    port = next(i for i, e in enumerate(target.inputs) if e is edge)
    return Stream(f"{edge.target}_in{port}", edge.target_lanes * edge.element.bits)


def _to_takers(verilog: Verilog, plan: FoldedPlan, name: str, stream: Stream) -> None:
    """Everything between a chain's FIFO (or the input) and the ports of its takers."""
    takers = plan.takers(name)
    branches = [stream]
    if len(takers) > 1:
        branches = [Stream(f"{stream.name}_to{i}", stream.width) for i in range(len(takers))]
        verilog.blank()
        verilog.comment(f"{stream.name} goes to {', '.join(edge.target for edge in takers)}")
        for branch in branches:
            branch.declare(verilog)
        given = {"in_valid": f"{stream.name}_valid", "in_ready": f"{stream.name}_ready"}
        taken = {
            f"out_{part}": "{" + ", ".join(f"{branch.name}_{part}" for branch in reversed(branches)) + "}"
            for part in ("valid", "ready")
        }
        verilog.instance("edgeml_fork", f"{stream.name}_fork", {**CLOCK, **given, **taken}, {"TAKERS": len(takers)})
        for branch in branches:
            verilog.assign(f"{branch.name}_data", f"{stream.name}_data")
    for edge, branch in zip(takers, branches, strict=True):
        _edge(verilog, edge, branch, _port_stream(plan, edge))


def _edge(verilog: Verilog, edge: Edge, stream: Stream, port: Stream) -> None:
    """What brings a stream to the port of its taker: a FIFO if it has one, then as many lanes as are taken."""
    port.declare(verilog)
    if edge.fifo_depth:
        queued = Stream(f"{stream.name}_queued", stream.width)
        queued.declare(verilog)
        _fifo(verilog, f"{stream.name}_fifo", edge.fifo_depth, stream, queued)
        stream = queued
    narrow = min(edge.source_lanes, edge.target_lanes)
    ratio = max(edge.source_lanes, edge.target_lanes) // narrow
    parameters = {"WIDTH": narrow * edge.element.bits, "RATIO": ratio}
    if edge.target_lanes > edge.source_lanes:
        wide = Stream(f"{port.name}_wide", port.width) if edge.frame_depth else port
        if edge.frame_depth:
            wide.declare(verilog)
        parameters["IN_BEATS"] = edge.source_beats
        ports = {**CLOCK, **stream.ports("in"), **wide.ports("out")}
        verilog.instance("edgeml_upsizer", f"{port.name}_upsizer", ports, parameters)
        if edge.frame_depth:
            _fifo(verilog, f"{port.name}_frame", edge.frame_depth, wide, port)
    elif edge.target_lanes < edge.source_lanes:
        parameters["OUT_BEATS"] = edge.target_beats
        ports = {**CLOCK, **stream.ports("in"), **port.ports("out")}
        verilog.instance("edgeml_downsizer", f"{port.name}_downsizer", ports, parameters)
    else:
        stream.feed(verilog, port.name)


def _fifo(verilog: Verilog, name: str, depth: int, given: Stream, taken: Stream) -> None:
    """A FIFO from one stream to another."""
    ports = {**CLOCK, **given.ports("in"), **taken.ports("out")}
    verilog.instance("edgeml_stream_fifo", name, ports, {"WIDTH": given.width, "DEPTH": depth})


def _chain(verilog: Verilog, plan: FoldedPlan, chain: UnitChain) -> Stream:
    """The units of a chain one behind the other, and the FIFO behind them; the stream that it gives."""
    result = Stream(f"{chain.name}_out", chain.lanes * chain.element.bits)
    reserve = {"can_reserve": f"{chain.name}_can_reserve", "reserve": f"{chain.name}_reserve"}
    for signal in reserve.values():
        verilog.wire(signal)
    before: dict[str, str] = {}
    for unit in chain.units:
        verilog.layer(unit.describe(), unit.node.origin)
        pushed = {"push": f"{unit.name}_push", "push_data": f"{unit.name}_push_data"}
        verilog.wire(pushed["push"])
        verilog.wire(pushed["push_data"], width=chain.lanes * unit.output.bits)
        ports = dict(CLOCK) if unit.clocked else {}
        if unit is chain.head:
            for prefix, edge in zip(unit.port_names, chain.inputs, strict=True):
                ports |= _port_stream(plan, edge).ports(prefix)
            ports |= reserve
        else:
            ports |= {"in_push": before["push"], "in_data": before["push_data"]}
        verilog.instance(unit.module, f"{unit.name}_unit", {**ports, **pushed}, unit.parameters())
        before = pushed
    verilog.blank()
    result.declare(verilog)
    ports = {**CLOCK, **reserve, **before, **result.ports()}
    verilog.instance("edgeml_fifo", f"{chain.name}_fifo", ports, {"WIDTH": result.width, "DEPTH": chain.fifo_depth})
    return result
