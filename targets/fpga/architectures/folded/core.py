"""Verilog of a plan: one core module that instantiates the library's units and connects them."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import InputError

from ...verilog.library import library_text
from ...verilog.text import bus, instance, stream_ports
from .plan import INPUT, Edge, FoldedPlan, UnitChain

__all__ = ["core", "library_modules"]

_CLOCK = {"clk": "clk", "rst": "rst"}


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


class _Stream:
    """Names of the three wires of a stream and its width."""

    def __init__(self, name: str, width: int) -> None:
        self.name = name
        self.width = width

    def declaration(self) -> str:
        return f"    wire {self.name}_valid;\n    wire {self.name}_ready;\n    wire {bus(self.width)}{self.name}_data;"

    def ports(self, prefix: str) -> dict[str, str]:
        return {f"{prefix}_{part}": f"{self.name}_{part}" for part in ("valid", "ready", "data")}


def core(plan: FoldedPlan, name: str, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: in_* takes input values, out_* gives results; `facts` go into its header."""
    last = plan.chains[-1]
    in_width = plan.input_lanes * plan.input_element.bits
    out_width = last.lanes * last.element.bits
    header = [
        f"// {name}: the network {plan.network.name} on the folded architecture, made by edgeml.",
        "//",
        (
            f"// A frame is {plan.input_beats} input values of {plan.input_lanes} elements and {last.beats} output "
            f"values of {last.lanes} elements,"
        ),
        "// lowest index first, in the lowest bits; what stands beyond the last element is ignored or of no meaning.",
        *(f"// {key}: {value}" for key, value in facts.items()),
        "`default_nettype none",
        f"module {name} (",
        *stream_ports(in_width, out_width),
    ]
    body = [_source(plan, INPUT, _Stream("in", in_width), declared=True)]
    for chain in plan.chains:
        body.append(_chain(plan, chain))
        result = _Stream(f"{chain.name}_out", chain.lanes * chain.element.bits)
        if chain is last:
            body.append(
                f"    assign out_valid = {result.name}_valid;\n    assign out_data = {result.name}_data;\n"
                f"    assign {result.name}_ready = out_ready;"
            )
        else:
            body.append(_source(plan, chain.name, result, declared=False))
    return "\n".join([*header, *(part for part in body if part), "endmodule", "`default_nettype wire", ""])


def _port_stream(plan: FoldedPlan, edge: Edge) -> _Stream:
    target = next(c for c in plan.chains if c.name == edge.target)
    port = next(i for i, e in enumerate(target.inputs) if e is edge)
    return _Stream(f"{edge.target}_in{port}", edge.target_lanes * edge.element.bits)


def _source(plan: FoldedPlan, name: str, stream: _Stream, *, declared: bool) -> str:
    """Everything between a chain's FIFO (or the input) and the ports of its takers."""
    takers = plan.takers(name)
    parts = []
    branches = [stream] * len(takers)
    if len(takers) > 1:
        branches = [_Stream(f"{stream.name}_to{i}", stream.width) for i in range(len(takers))]
        parts.append(f"\n    // {stream.name} goes to {', '.join(edge.target for edge in takers)}")
        parts.extend(branch.declaration() for branch in branches)
        parts.append(
            instance(
                "edgeml_fork",
                f"{stream.name}_fork",
                {"TAKERS": len(takers)},
                {
                    **_CLOCK,
                    "in_valid": f"{stream.name}_valid",
                    "in_ready": f"{stream.name}_ready",
                    "out_valid": "{" + ", ".join(f"{b.name}_valid" for b in reversed(branches)) + "}",
                    "out_ready": "{" + ", ".join(f"{b.name}_ready" for b in reversed(branches)) + "}",
                },
            )
        )
        parts.extend(f"    assign {branch.name}_data = {stream.name}_data;" for branch in branches)
    for edge, branch in zip(takers, branches, strict=True):
        parts.append(_edge(plan, edge, branch))
    return "\n".join(parts)


def _edge(plan: FoldedPlan, edge: Edge, stream: _Stream) -> str:
    parts = []
    if edge.fifo_depth:
        queued = _Stream(f"{stream.name}_queued", stream.width)
        parts.append(queued.declaration())
        parts.append(
            instance(
                "edgeml_stream_fifo",
                f"{stream.name}_fifo",
                {"WIDTH": stream.width, "DEPTH": edge.fifo_depth},
                {**_CLOCK, **stream.ports("in"), **queued.ports("out")},
            )
        )
        stream = queued
    port = _port_stream(plan, edge)
    parts.insert(0, port.declaration())
    narrow = min(edge.source_lanes, edge.target_lanes)
    ratio = max(edge.source_lanes, edge.target_lanes) // narrow
    parameters: dict[str, int | str] = {"WIDTH": narrow * edge.element.bits, "RATIO": ratio}
    if edge.target_lanes > edge.source_lanes:
        parameters["IN_BEATS"] = edge.source_beats
        wide = _Stream(f"{port.name}_wide", port.width) if edge.frame_depth else port
        ports = {**_CLOCK, **stream.ports("in"), **wide.ports("out")}
        if edge.frame_depth:
            parts.append(wide.declaration())
        parts.append(instance("edgeml_upsizer", f"{port.name}_upsizer", parameters, ports))
        if edge.frame_depth:
            parts.append(
                instance(
                    "edgeml_stream_fifo",
                    f"{port.name}_frame",
                    {"WIDTH": port.width, "DEPTH": edge.frame_depth},
                    {**_CLOCK, **wide.ports("in"), **port.ports("out")},
                )
            )
    elif edge.target_lanes < edge.source_lanes:
        parameters["OUT_BEATS"] = edge.target_beats
        ports = {**_CLOCK, **stream.ports("in"), **port.ports("out")}
        parts.append(instance("edgeml_downsizer", f"{port.name}_downsizer", parameters, ports))
    else:
        parts.append(
            f"    assign {port.name}_valid = {stream.name}_valid;\n    assign {port.name}_data = {stream.name}_data;\n"
            f"    assign {stream.name}_ready = {port.name}_ready;"
        )
    return "\n".join(parts)


def _chain(plan: FoldedPlan, chain: UnitChain) -> str:
    parts = []
    width = chain.lanes * chain.element.bits
    result = _Stream(f"{chain.name}_out", width)
    reserve = {"can_reserve": f"{chain.name}_can_reserve", "reserve": f"{chain.name}_reserve"}
    parts.append(f"    wire {chain.name}_can_reserve;\n    wire {chain.name}_reserve;")
    streams = [_port_stream(plan, edge) for edge in chain.inputs]
    before = ("", "")
    for unit in chain.units:
        pushed = (f"{unit.name}_push", f"{unit.name}_push_data")
        parts.append(f"\n    // {unit.describe()}")
        parts.append(f"    wire {pushed[0]};\n    wire {bus(chain.lanes * unit.output.bits)}{pushed[1]};")
        ports: dict[str, str] = dict(_CLOCK) if unit.clocked else {}
        if unit is chain.head:
            for prefix, stream in zip(unit.port_names, streams, strict=True):
                ports.update(stream.ports(prefix))
            ports.update(reserve)
        else:
            ports.update({"in_push": before[0], "in_data": before[1]})
        ports.update({"push": pushed[0], "push_data": pushed[1]})
        parts.append(instance(unit.module, f"{unit.name}_unit", unit.parameters(), ports))
        before = pushed
    parts.append("\n" + result.declaration())
    parts.append(
        instance(
            "edgeml_fifo",
            f"{chain.name}_fifo",
            {"WIDTH": width, "DEPTH": chain.fifo_depth},
            {
                **_CLOCK,
                **reserve,
                "push": before[0],
                "push_data": before[1],
                **{key[4:]: value for key, value in result.ports("out").items()},
            },
        )
    )
    return "\n".join(parts)
