"""Requantizing layers and tables as logic with constant factors."""

from __future__ import annotations

import numpy as np

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize

from ...rounding_as_multiply_add import (
    Levels,
    Line,
    fit_line,
    layer_levels,
    signed_digits,
)
from .netlist import (
    ONE,
    ZERO,
    Bit,
    CellKind,
    Netlist,
)
from .value import Value, sum_value

__all__ = ["check_size", "lookup", "requantize"]

_FEW_LEVELS = 3
_MOST_TABLE_BITS = 8


def check_size(node: Node, network: Network) -> None:
    """InputError where a requantizing layer's outputs, or a table's inputs, are more than 256 integers."""
    layer = node.layer
    if isinstance(layer, (Requantize, Lookup)):
        what, name = ("outputs", node.name) if isinstance(layer, Requantize) else ("inputs", node.inputs[0])
        low, high = network.ranges[name].bounds
        if high - low >= 2**_MOST_TABLE_BITS:
            raise InputError(
                f"layer {node.name}",
                f"has {high - low + 1} {what}; the unrolled architecture has logic for {2**_MOST_TABLE_BITS}",
                "Try --architecture folded",
            )


def requantize(
    netlist: Netlist, node: Node, network: Network, inputs: list[list[Value]], *, sharing: bool
) -> list[Value]:
    """Per channel a line (a constant multiplication by shifted sums, see `lines`) and a clip, or a few comparisons."""
    layer = node.layer
    assert isinstance(layer, Requantize)
    check_size(node, network)
    (values,) = inputs
    channels, base = layer_levels(layer, network.ranges[node.inputs[0]])
    lines: dict[tuple[bytes, int, int, int], Line | None] = {}
    results = []
    for channel, (value, levels) in enumerate(zip(values, channels, strict=True)):
        note = f"{node.name}[{channel}]"
        if not len(levels.thresholds):
            results.append(Value((ZERO,), base + levels.first, 0, 0))
            continue
        line = None
        if len(levels.thresholds) > _FEW_LEVELS:
            key = (levels.thresholds.tobytes(), levels.low, levels.high, levels.first)
            if key not in lines:
                lines[key] = fit_line(levels, clipped=True)
            line = lines[key]
        made = _on_line(netlist, value, line, levels, base, note) if line is not None else None
        results.append(made if made is not None else _compared(netlist, value, levels, base, note))
    return results


def _compared(netlist: Netlist, value: Value, levels: Levels, base: int, note: str) -> Value:
    reached = [int(t) - value.offset for t in levels.thresholds]
    bits = netlist.add(CellKind.REACHED, value.bits, reached, len(reached).bit_length(), note)
    return Value(tuple(bits), base + levels.first, 0, len(reached))


def _on_line(netlist: Netlist, value: Value, line: Line, levels: Levels, base: int, note: str) -> Value | None:
    """The line, clipped to 0 … count; None where it asks for the sign or a bit of a value that has none as such."""
    bits = value.bits
    whole = value.offset in (0, -(2 ** (len(bits) - 1)))  # x is the bits, as they are or with their sign turned
    two = line.offset != line.negative_offset and levels.low < 0
    if ((two and levels.high >= 0) or line.even) and not whole:
        return None
    positive = bits[-1] if value.offset else ONE
    constant = line.multiplier * value.offset + (line.offset if not two or levels.high >= 0 else line.negative_offset)
    columns: list[list[Bit]] = []

    def put(place: int, bit: Bit) -> None:
        while len(columns) <= place:
            columns.append([])
        columns[place].append(bit)

    for place, sign in signed_digits(line.multiplier):
        # −x · 2^p is the complement of x, shifted, less that of zero.
        constant -= ((2 ** len(bits) - 1) << place) if sign < 0 else 0
        for k, bit in enumerate(bits):
            put(place + k, bit if sign > 0 else ~bit)
    if two and levels.high >= 0:
        more = line.negative_offset - line.offset
        # more · [x < 0], or −more · [x ≥ 0] + more: what is added is never negative.
        constant += min(more, 0)
        for place in range(abs(more).bit_length()):
            if (abs(more) >> place) & 1:
                put(place, ~positive if more > 0 else positive)
    if line.even:
        put(0, bits[line.places] if line.places < len(bits) - bool(value.offset) else ~positive)
    ends = [int(line_end) for line_end in _ends(line, levels)]
    total = sum_value(netlist, columns, ends[0] - constant, ends[1] - constant, constant, note)
    return _clipped(netlist, total, line, levels, base, note)


def _ends(line: Line, levels: Levels) -> tuple[int, int]:
    """Least and largest value before the shift."""
    found = []
    for x in {levels.low, levels.high, *(x for x in (-1, 0) if levels.low <= x <= levels.high)}:
        start = x * line.multiplier + (line.negative_offset if x < 0 else line.offset)
        found += [start, start + int(line.even)]
    return min(found), max(found)


def _clipped(netlist: Netlist, total: Value, line: Line, levels: Levels, base: int, note: str) -> Value:
    body = list(total.bits[line.places : -1] if total.offset else total.bits[line.places :])
    controls: list[Bit] = [total.bits[-1]] if total.offset else []
    highest = (total.high + total.offset) >> line.places
    over = highest > levels.count
    if over:
        controls += netlist.add(CellKind.REACHED, body, [levels.count + 1], 1, f"{note}, above")
    width = levels.count.bit_length()
    result = (body + [ZERO] * width)[:width]
    if controls:
        clipped = []
        for k, bit in enumerate(result):
            table = 0
            for x in range(2 ** (len(controls) + 1)):
                value, *flags = ((x >> p) & 1 for p in range(len(controls) + 1))
                if over and flags[-1]:
                    value = (levels.count >> k) & 1
                table |= (value & (flags[0] if total.offset else 1)) << x
            clipped += netlist.add(CellKind.TABLE, [bit, *controls], [table], 1, f"{note}, clipped")
        result = clipped
    return Value(tuple(result), base, levels.first, levels.last)


def lookup(netlist: Netlist, node: Node, network: Network, inputs: list[list[Value]], *, sharing: bool) -> list[Value]:
    """A table of up to 8 bits per channel."""
    layer = node.layer
    assert isinstance(layer, Lookup)
    check_size(node, network)
    (values,) = inputs
    table = layer.table.astype(np.int64)
    results = []
    for channel, value in enumerate(values):
        bits = value.reduced.bits
        entries = table[value.low + value.offset - layer.base : value.high + value.offset - layer.base + 1]
        low, high = int(entries.min()), int(entries.max())
        if low == high:
            results.append(Value((ZERO,), low, 0, 0))
            continue
        width = (high - low).bit_length()
        numbers = dict(enumerate((entries - low).tolist(), value.low))
        tables = [sum(((numbers.get(u, 0) >> k) & 1) << u for u in range(2 ** len(bits))) for k in range(width)]
        outputs = netlist.add(CellKind.TABLE, bits, tables, width, f"{node.name}[{channel}]")
        results.append(Value(tuple(outputs), low, 0, high - low))
    return results
