"""Compressor trees: a heap of bits of many weights becomes one number.

Counters of six inputs (6 bits of one weight → 3; 5 bits and 1 of the next weight → 3) take out three bits for three
lookup tables; they are used, at one logic depth after the other, as long as a column has bits for them. What is left,
three rows or less, is added by one carry chain (three rows: two lookup tables per column; two rows: one).
"""

from __future__ import annotations

from collections.abc import Sequence

from .netlist import (
    ONE,
    ZERO,
    Bit,
    CellKind,
    Netlist,
)

__all__ = ["compress"]

_ROWS = 3


def compress(netlist: Netlist, columns: Sequence[Sequence[Bit]], width: int, note: str = "") -> list[Bit]:
    """The sum of bits, column k weighing 2^k, modulo 2^width: its `width` bits, lowest first.

    Constant ones may stand in the columns.
    """
    heap = [list(column) for column in columns[:width]]
    heap.extend([] for _ in range(width - len(heap)))
    _fold_constants(heap)
    return _Compressor(netlist, heap, note).run()


def _fold_constants(heap: list[list[Bit]]) -> None:
    """Add the constants of all columns up: at most one constant one stays per column."""
    carry = 0
    for k, column in enumerate(heap):
        carry += sum(1 for bit in column if bit == ONE)
        heap[k] = [bit for bit in column if bit.cell != -2]
        if carry & 1:
            heap[k].append(ONE)
        carry >>= 1


class _Compressor:
    def __init__(self, netlist: Netlist, heap: list[list[Bit]], note: str) -> None:
        self.netlist = netlist
        self.heap = heap
        self.width = len(heap)
        self.note = note

    def run(self) -> list[Bit]:
        depth = min((self.netlist.depth_of(bit) for column in self.heap for bit in column), default=0)
        while max((len(column) for column in self.heap), default=0) > _ROWS:
            latest = max(self.netlist.depth_of(bit) for column in self.heap for bit in column)
            if self._full_counters(depth) or depth < latest:
                depth += 1
            else:
                self._last_counters()
                depth = latest
        return self._carry_chain()

    def _take(self, column: int, count: int, depth: int) -> list[Bit] | None:
        """Remove so many bits that are there at `depth`, the earliest first; None if there are fewer."""
        ready = sorted(
            (bit for bit in self.heap[column] if self.netlist.depth_of(bit) <= depth),
            key=lambda bit: (self.netlist.depth_of(bit), bit.cell, bit.index),
        )
        if len(ready) < count:
            return None
        taken = ready[:count]
        for bit in taken:
            self.heap[column].remove(bit)
        return taken

    def _ready(self, column: int, depth: int) -> int:
        if column >= self.width:
            return 0
        return sum(1 for bit in self.heap[column] if self.netlist.depth_of(bit) <= depth)

    def _count(self, column: int, ones: list[Bit], twos: list[Bit]) -> None:
        """A counter over bits of this column and of the next; its results go back into the heap."""
        total = len(ones) + 2 * len(twos)
        outputs = min(total.bit_length(), self.width - column)
        what = f"{len(ones)} bits of weight {1 << column}" + (f", {len(twos)} of {2 << column}" if twos else "")
        note = f"{self.note}: {what}"
        results = self.netlist.add(CellKind.COUNT, [*ones, *twos], (len(ones), len(twos)), outputs, note)
        for offset, bit in enumerate(results):
            self.heap[column + offset].append(bit)

    def _full_counters(self, depth: int) -> bool:
        """Counters that take out a bit per lookup table, on bits that are there; whether any was used."""
        used = False
        for column in range(self.width):
            while self._ready(column, depth) >= 6 and self._needed(column):
                taken = self._take(column, 6, depth)
                assert taken is not None
                self._count(column, taken, [])
                used = True
            if self._ready(column, depth) >= 5 and self._ready(column + 1, depth) and self._needed(column):
                ones, twos = self._take(column, 5, depth), self._take(column + 1, 1, depth)
                assert ones is not None
                assert twos is not None
                self._count(column, ones, twos)
                used = True
        return used

    def _needed(self, column: int) -> bool:
        return len(self.heap[column]) > _ROWS

    def _last_counters(self) -> None:
        """All bits are there, no column has enough for a full counter: lower each to three rows, from the lowest."""
        depth = 1 << 30
        for column in range(self.width):
            while len(self.heap[column]) > _ROWS:
                height = len(self.heap[column])
                after = len(self.heap[column + 1]) if column + 1 < self.width else 0
                ones = min(height, 6)
                if height == 4:
                    # 4 bits → 3 rows need one bit less: three bits become one, a carry goes on.
                    ones = 3
                twos = 1 if ones == 5 and after else 0
                if ones == 3 and after > _ROWS - 1:
                    twos = 2
                taken = self._take(column, ones, depth)
                more = self._take(column + 1, twos, depth) if twos else []
                assert taken is not None
                assert more is not None
                self._count(column, taken, more)

    def _carry_chain(self) -> list[Bit]:
        """One carry chain over what is left; low columns of a single bit pass by."""
        low: list[Bit] = []
        while len(low) < self.width and len(self.heap[len(low)]) <= 1:
            column = self.heap[len(low)]
            low.append(column[0] if column else ZERO)
        rest = self.heap[len(low) :]
        if not rest:
            return low
        rows = max(len(column) for column in rest)
        # The sorted order keeps constants in the last row, where they cost least.
        ordered = [sorted(column, key=lambda bit: (bit.cell == -2, bit.cell, bit.index)) for column in rest]
        padded = [[*column, *[ZERO] * (rows - len(column))] for column in ordered]
        width = len(rest)
        inputs = [column[row] for row in range(rows) for column in padded]
        if rows <= 1:
            return [*low, *(column[0] for column in padded)]
        kind = CellKind.ADD if rows == 2 else CellKind.ADD3
        shape = (width, width, 0) if rows == 2 else (width,)
        note = f"{self.note}: {rows} rows from weight {1 << len(low)} on"
        return [*low, *self.netlist.add(kind, inputs, shape, width, note)]
