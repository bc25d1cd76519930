"""A constant multiplication, an addition and a shift as logic: shifted sums of a number, clipped to its levels."""

from __future__ import annotations

from ...rounding_as_multiply_add import Levels, Line
from ...signed_digits import signed_digits
from .netlist import ONE, ZERO, Bit, CellKind, Netlist
from .value import Value, sum_value

__all__ = ["line_value"]


def line_value(netlist: Netlist, value: Value, line: Line, levels: Levels, base: int, note: str) -> Value | None:
    """The line, clipped to 0 … count; None if it asks for the sign or a bit of a value that has none as such."""
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
