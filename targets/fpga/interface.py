"""The streams of a generated design: how frames of integers become values of a stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import argmax

from .verilog.element import Element

__all__ = ["Interface", "element_text"]


@dataclass(frozen=True)
class Interface:
    """Shape of a design's input and output streams.

    Parameters
    ----------
    inputs, outputs : elements per frame. input_lanes, output_lanes : elements per value of a stream.
    input_element, output_element : types inside the core.
    classes : whether the class of each frame, the index of its largest output, is given beside its last value.
    threshold : of a binary network: its class is 1 if the output is above this integer; else None.
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
    def axis_signals(self) -> tuple[str, ...]:
        """The AXI4-Stream ports of the design's top, in their order."""
        given = ("tdata", "tvalid", "tready", "tlast", *(("tuser",) if self.classes else ()))
        return (*(f"s_axis_{signal}" for signal in given[:3]), *(f"m_axis_{signal}" for signal in given))

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


def element_text(element: Element) -> str:
    """`3 bits, signed`, for comments."""
    return f"{element.bits} bit{'s' if element.bits > 1 else ''}, {'signed' if element.signed else 'unsigned'}"
