"""Verilog as strings: for the generators that do not use the writer yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .element import Element, signed_bits, type_of
from .memory import memory_image, pack_words

__all__ = ["Element", "bus", "instance", "memory_image", "pack_words", "signed_bits", "stream_ports", "type_of"]


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
