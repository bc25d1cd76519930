"""Small pieces of Verilog text and memory images, formatted for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Element", "bus", "instance", "memory_image", "pack_words", "signed_bits", "stream_ports", "type_of"]


@dataclass(frozen=True)
class Element:
    """The hardware type of one integer: `bits` wide, two's complement if `signed`."""

    bits: int
    signed: bool

    @property
    def low(self) -> int:
        """Smallest integer it holds."""
        return -(2 ** (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest integer it holds."""
        return (1 << (self.bits - self.signed)) - 1


def signed_bits(low: int, high: int) -> int:
    """Width of the smallest two's complement number that holds low … high; at least 1."""
    return max(((-low - 1) if low < 0 else 0).bit_length(), max(high, 0).bit_length()) + 1


def type_of(low: int, high: int) -> Element:
    """The narrowest type that holds low … high: unsigned where nothing is negative."""
    if low < 0:
        return Element(signed_bits(low, high), True)
    return Element(max(high.bit_length(), 1), False)


def bus(width: int) -> str:
    """`[width-1:0] ` with its blank."""
    return f"[{width - 1}:0] "


def instance(module: str, name: str, parameters: Mapping[str, int | str], ports: Mapping[str, str]) -> str:
    """An instance of `module`, one line for parameters and one for each group of ports; text is quoted."""
    values = [
        f'.{key}("{value}")' if isinstance(value, str) else f".{key}({value})" for key, value in parameters.items()
    ]
    lines = [
        f"    {module} #(",
        *_wrapped(values),
        f"    ) {name} (",
        *_wrapped([f".{k}({v})" for k, v in ports.items()]),
    ]
    if not values:
        lines = [f"    {module} {name} (", *_wrapped([f".{k}({v})" for k, v in ports.items()])]
    return "\n".join([*lines, "    );"])


def _wrapped(items: Sequence[str], width: int = 104) -> list[str]:
    lines: list[str] = []
    line = ""
    for position, item in enumerate(items):
        piece = item + ("," if position + 1 < len(items) else "")
        if line and len(line) + 1 + len(piece) > width:
            lines.append(f"        {line}")
            line = piece
        else:
            line = f"{line} {piece}".strip()
    return [*lines, f"        {line}"] if line else lines


def pack_words(fields: npt.NDArray[np.integer], bits: int) -> list[int]:
    """Rows of integers as words: field j of a row at bits j · bits, two's complement. [words, fields] → [words]."""
    masked = np.asarray(fields, dtype=np.int64) & ((1 << bits) - 1)
    planes = ((masked[:, :, None] >> np.arange(bits)) & 1).astype(np.uint8).reshape(len(masked), -1)
    packed = np.packbits(planes, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def memory_image(words: Iterable[int], width: int) -> str:
    """Content for $readmemh: one word of `width` bits a line."""
    digits = (width + 3) // 4
    return "".join(f"{word:0{digits}x}\n" for word in words)


def stream_ports(in_width: int, out_width: int) -> list[str]:
    """The ports of a core: clock, reset, and a stream of so many bits in and out; to the end of the port list."""
    return [
        "    input  wire clk,",
        "    input  wire rst,  // synchronous, active high",
        "    input  wire in_valid,",
        "    output wire in_ready,",
        f"    input  wire {bus(in_width)}in_data,",
        "    output wire out_valid,",
        "    input  wire out_ready,",
        f"    output wire {bus(out_width)}out_data",
        ");",
    ]
