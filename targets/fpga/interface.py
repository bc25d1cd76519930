"""The streams of a generated design: how frames of integers become values of a stream, and the AXI4-Stream top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import argmax

from .verilog.text import Element, bus, instance

__all__ = ["Interface", "axis_top"]


@dataclass(frozen=True)
class Interface:
    """Shape of a design's input and output streams.

    Parameters
    ----------
    inputs, outputs : elements per frame. input_lanes, output_lanes : elements per value of a stream.
    input_element, output_element : types inside the core.
    classes : whether the class of each frame, the index of its largest output, is given beside its last value.
    threshold : of a binary network: its class is 1 where the output is above this integer; else None.
    """

    inputs: int
    input_lanes: int
    input_element: Element
    outputs: int
    output_lanes: int
    output_element: Element
    classes: bool = False
    threshold: int | None = None

    def classes_of(self, y: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """The class of each frame whose outputs (or whose first ones) are y [frames, outputs]: int64 [frames]."""
        return argmax(y) if self.threshold is None else (y[:, 0] > self.threshold).astype(np.int64)

    @property
    def input_beats(self) -> int:
        """Values per frame on the input."""
        return -(-self.inputs // self.input_lanes)

    @property
    def output_beats(self) -> int:
        """Values per frame on the output."""
        return -(-self.outputs // self.output_lanes)

    @property
    def input_bits(self) -> int:
        """Width of the core's input."""
        return self.input_lanes * self.input_element.bits

    @property
    def output_bits(self) -> int:
        """Width of the core's output."""
        return self.output_lanes * self.output_element.bits

    @property
    def input_bytes(self) -> int:
        """Bytes of an input value on AXI4-Stream: packed elements, then padding."""
        return -(-self.input_bits // 8)

    @property
    def result_bytes(self) -> int:
        """Bytes of one output element on AXI4-Stream: 1, 2 or 4, sign- or zero-extended."""
        bits = self.output_element.bits
        return 1 if bits <= 8 else 2 if bits <= 16 else 4

    @property
    def output_bytes(self) -> int:
        """Bytes of an output value on AXI4-Stream."""
        return self.output_lanes * self.result_bytes

    @property
    def class_bits(self) -> int:
        """Width of a class inside the argmax unit."""
        return max((self.outputs - 1).bit_length(), 1)

    @property
    def class_bytes(self) -> int:
        """Bytes of a class on AXI4-Stream: 1, 2 or 4, zero-extended."""
        return 1 if self.class_bits <= 8 else 2 if self.class_bits <= 16 else 4

    @property
    def class_latency(self) -> int:
        """Clocks that the argmax unit holds a value: register, one per level of comparisons, words before, buffer."""
        if not self.classes or self.outputs == 1:
            return 0
        return (self.output_lanes - 1).bit_length() + (self.output_beats > 1) + 2

    def pack(self, q: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
        """Frames q [samples, inputs] as values of the input stream: bytes [samples · beats, input_bytes]."""
        bits = self.input_element.bits
        padded = np.zeros((len(q), self.input_beats * self.input_lanes), np.int32)
        padded[:, : self.inputs] = q
        lanes = padded.reshape(-1, self.input_lanes)
        size = -(-bits // 8)
        if size == 3:
            size = 4
        planes = lanes.astype(f"<i{size}").view(np.uint8).reshape(*lanes.shape, size)
        if bits % 8 == 0:
            return np.ascontiguousarray(planes[:, :, : bits // 8]).reshape(len(lanes), -1)
        planes = np.unpackbits(planes, axis=2, count=bits, bitorder="little")
        return np.packbits(planes.reshape(len(lanes), -1), axis=1, bitorder="little")

    def unpack(self, values: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """Inverse for the output stream: bytes [samples · beats, output_bytes] → [samples, outputs]."""
        sign = "i" if self.output_element.signed else "u"
        integers = np.ascontiguousarray(values).view(f"<{sign}{self.result_bytes}").astype(np.int32)
        frames = integers.reshape(-1, self.output_beats * self.output_lanes)
        return np.ascontiguousarray(frames[:, : self.outputs])


def axis_top(name: str, core: str, interface: Interface, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: the core with AXI4-Stream on both sides.

    Input: packed elements, padded to whole bytes. Output: each element in 1, 2 or 4 bytes of its own; with
    `interface.classes`, TUSER beside.
    """
    in_bits, out_bits = 8 * interface.input_bytes, 8 * interface.output_bytes
    element = interface.output_element
    wide = 8 * interface.result_bytes
    extend = wide - element.bits
    lanes = []
    for lane in range(interface.output_lanes):
        low = lane * element.bits
        high = low + element.bits - 1
        value = f"result[{high}:{low}]"
        if extend:
            fill = f"result[{high}]" if element.signed else "1'b0"
            value = f"{{{{{extend}{{{fill}}}}}, {value}}}"
        lanes.append(f"    assign m_axis_tdata[{lane * wide + wide - 1}:{lane * wide}] = {value};")
    unused = (
        [f"    wire unused = &{{1'b0, s_axis_tdata[{in_bits - 1}:{interface.input_bits}]}};"]
        if in_bits > interface.input_bits
        else []
    )
    beats = interface.output_beats
    if beats > 1:
        bits = (beats - 1).bit_length()
        last = [
            f"    reg {bus(bits)}beat;",
            f"    assign m_axis_tlast = beat == {bits}'d{beats - 1};",
            "    always @(posedge aclk) begin",
            f"        if (!aresetn) beat <= {bits}'d0;",
            f"        else if (m_axis_tvalid && m_axis_tready) beat <= m_axis_tlast ? {bits}'d0 : beat + 1'b1;",
            "    end",
        ]
    else:
        last = ["    assign m_axis_tlast = 1'b1;"]
    bare = ("m_axis_tvalid", "m_axis_tready", "result")  # valid, ready and data of the core's output
    about_class, class_port, class_unit = [], [], []
    if interface.classes:
        bare = ("core_valid", "core_ready", "core_result")
        about_class = [
            "// m_axis_tuser: beside the value with TLAST, the frame's class: the index of its largest element, and of",
            "// equal ones the lowest. Beside the values before, that of the largest element so far.",
        ]
        if interface.threshold is not None:
            about_class = [f"// m_axis_tuser: the class: 1 where the element is above {interface.threshold}, else 0."]
        class_port = [f"    output wire {bus(8 * interface.class_bytes)}m_axis_tuser,"]
        class_unit = _class_unit(interface)
    return "\n".join(
        [
            f"// {name}: {core} with AXI4-Stream on both sides, made by edgeml.",
            "//",
            (
                f"// s_axis: {interface.input_beats} values per frame, {interface.input_lanes} elements of "
                f"{element_text(interface.input_element)} each, lowest index first, packed from bit 0."
            ),
            (
                f"// m_axis: {beats} values per frame, {interface.output_lanes} elements of {interface.result_bytes} "
                f"bytes each ({'signed' if element.signed else 'unsigned'}); TLAST ends a frame."
            ),
            *about_class,
            *(f"// {key}: {value}" for key, value in facts.items()),
            "`default_nettype none",
            f"module {name} (",
            "    input  wire aclk,",
            "    input  wire aresetn,  // synchronous, active low",
            f"    input  wire {bus(in_bits)}s_axis_tdata,",
            "    input  wire s_axis_tvalid,",
            "    output wire s_axis_tready,",
            f"    output wire {bus(out_bits)}m_axis_tdata,",
            "    output wire m_axis_tvalid,",
            "    input  wire m_axis_tready,",
            *class_port,
            "    output wire m_axis_tlast",
            ");",
            f"    wire {bus(interface.output_bits)}result;",
            *(
                [f"    wire core_valid, core_ready;\n    wire {bus(interface.output_bits)}core_result;"]
                if class_unit
                else []
            ),
            f"    {core} core (",
            "        .clk(aclk), .rst(!aresetn),",
            "        .in_valid(s_axis_tvalid), .in_ready(s_axis_tready),",
            f"        .in_data(s_axis_tdata[{interface.input_bits - 1}:0]),",
            f"        .out_valid({bare[0]}), .out_ready({bare[1]}), .out_data({bare[2]})",
            "    );",
            *class_unit,
            *lanes,
            *unused,
            *last,
            "endmodule",
            "`default_nettype wire",
            "",
        ]
    )


def _class_unit(interface: Interface) -> list[str]:
    """The argmax unit between core and output, and TUSER."""
    unit = instance(
        "edgeml_argmax",
        "argmax",
        {
            "OUTPUTS": interface.outputs,
            "LANES": interface.output_lanes,
            "ELEMENT_BITS": interface.output_element.bits,
            "SIGNED": int(interface.output_element.signed),
            **({} if interface.threshold is None else {"BINARY": 1, "THRESHOLD": 0}),
        },
        {
            "clk": "aclk", "rst": "!aresetn",
            "in_valid": "core_valid", "in_ready": "core_ready", "in_data": "core_result",
            "out_valid": "m_axis_tvalid", "out_ready": "m_axis_tready", "out_data": "result", "out_class": "winner",
        },
    )  # fmt: skip
    if interface.threshold is not None:
        unit = unit.replace(".THRESHOLD(0)", f".THRESHOLD(32'sh{interface.threshold & 0xFFFFFFFF:08x})")
    fill = 8 * interface.class_bytes - interface.class_bits
    value = f"{{{fill}'d0, winner}}" if fill else "winner"
    return [f"    wire {bus(interface.class_bits)}winner;", unit, f"    assign m_axis_tuser = {value};"]


def element_text(element: Element) -> str:
    """`3 bits, signed`, for comments."""
    return f"{element.bits} bit{'s' if element.bits > 1 else ''}, {'signed' if element.signed else 'unsigned'}"
