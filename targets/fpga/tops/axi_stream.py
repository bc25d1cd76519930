"""The AXI4-Stream top of a design: its core between two streams of whole bytes, and the class of each frame."""

from __future__ import annotations

from collections.abc import Mapping

from ..interface import Interface, element_text
from ..verilog.writer import Expression, Port, Verilog

__all__ = ["axis_top"]


def axis_top(name: str, core: str, interface: Interface, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: the core with AXI4-Stream on both sides.

    Input: packed elements, padded to whole bytes. Output: each element in 1, 2 or 4 bytes of its own; with
    `interface.classes`, TUSER beside. `facts` go into its header.
    """
    verilog = Verilog()
    verilog.header(*_about(name, core, interface), facts=facts)
    with verilog.module(name, _ports(interface)):
        verilog.wire("result", width=interface.output_bits)
        given = {"out_valid": "m_axis_tvalid", "out_ready": "m_axis_tready", "out_data": "result"}
        if interface.classes:
            verilog.wire("core_valid", "core_ready")
            verilog.wire("core_result", width=interface.output_bits)
            given = {"out_valid": "core_valid", "out_ready": "core_ready", "out_data": "core_result"}
        verilog.instance(
            core,
            "core",
            [
                {"clk": "aclk", "rst": "!aresetn"},
                {"in_valid": "s_axis_tvalid", "in_ready": "s_axis_tready"},
                {"in_data": f"s_axis_tdata[{interface.input_bits - 1}:0]"},
                given,
            ],
        )
        if interface.classes:
            _class_unit(verilog, interface)
        _results(verilog, interface)
        padded = 8 * interface.input_bytes
        if padded > interface.input_bits:
            verilog.wire("unused", value=f"&{{1'b0, s_axis_tdata[{padded - 1}:{interface.input_bits}]}}")
        _end_of_frame(verilog, interface.output_beats)
    return verilog.text()


def _about(name: str, core: str, interface: Interface) -> list[str]:
    """The head of the file: what the streams hold."""
    sign = "signed" if interface.output_element.signed else "unsigned"
    given = f"{interface.input_beats} values per frame, {interface.input_lanes} elements of "
    taken = f"{interface.output_beats} values per frame, {interface.output_lanes} elements of "
    lines = [
        f"{name}: {core} with AXI4-Stream on both sides, made by edgeml.",
        "",
        f"s_axis: {given}{element_text(interface.input_element)} each, lowest index first, packed from bit 0.",
        f"m_axis: {taken}{interface.result_bytes} bytes each ({sign}); TLAST ends a frame.",
    ]
    if interface.threshold is not None:
        lines.append(f"m_axis_tuser: the class: 1 where the element is above {interface.threshold}, else 0.")
    elif interface.classes:
        lines += [
            "m_axis_tuser: beside the value with TLAST, the frame's class: the index of its largest element, and of",
            "equal ones the lowest. Beside the values before, that of the largest element so far.",
        ]
    return lines


def _ports(interface: Interface) -> list[Port]:
    user = [Port("output", "m_axis_tuser", 8 * interface.class_bytes)] if interface.classes else []
    return [
        Port("input", "aclk"),
        Port("input", "aresetn", note="synchronous, active low"),
        Port("input", "s_axis_tdata", 8 * interface.input_bytes),
        Port("input", "s_axis_tvalid"),
        Port("output", "s_axis_tready"),
        Port("output", "m_axis_tdata", 8 * interface.output_bytes),
        Port("output", "m_axis_tvalid"),
        Port("input", "m_axis_tready"),
        *user,
        Port("output", "m_axis_tlast"),
    ]


def _class_unit(verilog: Verilog, interface: Interface) -> None:
    """The argmax unit between core and output, and TUSER."""
    parameters: dict[str, int | Expression] = {
        "OUTPUTS": interface.outputs,
        "LANES": interface.output_lanes,
        "ELEMENT_BITS": interface.output_element.bits,
        "SIGNED": int(interface.output_element.signed),
    }
    if interface.threshold is not None:
        threshold = Expression(f"32'sh{interface.threshold & 0xFFFFFFFF:08x}")
        parameters |= {"BINARY": 1, "THRESHOLD": threshold}
    ports = {
        "clk": "aclk", "rst": "!aresetn",
        "in_valid": "core_valid", "in_ready": "core_ready", "in_data": "core_result",
        "out_valid": "m_axis_tvalid", "out_ready": "m_axis_tready", "out_data": "result", "out_class": "winner",
    }  # fmt: skip
    verilog.wire("winner", width=interface.class_bits)
    verilog.instance("edgeml_argmax", "argmax", ports, parameters)
    fill = 8 * interface.class_bytes - interface.class_bits
    verilog.assign("m_axis_tuser", f"{{{fill}'d0, winner}}" if fill else "winner")


def _results(verilog: Verilog, interface: Interface) -> None:
    """Each element of a value, extended to its bytes."""
    bits, wide = interface.output_element.bits, 8 * interface.result_bytes
    for lane in range(interface.output_lanes):
        low, high = lane * bits, (lane + 1) * bits - 1
        value = f"result[{high}:{low}]"
        if wide > bits:
            fill = f"result[{high}]" if interface.output_element.signed else "1'b0"
            value = f"{{{{{wide - bits}{{{fill}}}}}, {value}}}"
        verilog.assign(f"m_axis_tdata[{(lane + 1) * wide - 1}:{lane * wide}]", value)


def _end_of_frame(verilog: Verilog, beats: int) -> None:
    """TLAST beside the last of the values of a frame."""
    if beats == 1:
        verilog.assign("m_axis_tlast", "1'b1")
        return
    bits = (beats - 1).bit_length()
    verilog.reg("beat", width=bits)
    verilog.assign("m_axis_tlast", f"beat == {bits}'d{beats - 1}")
    with verilog.clocked("aclk"):
        verilog.line(f"if (!aresetn) beat <= {bits}'d0;")
        verilog.line(f"else if (m_axis_tvalid && m_axis_tready) beat <= m_axis_tlast ? {bits}'d0 : beat + 1'b1;")
