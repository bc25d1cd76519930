"""Numbers as rows of bits: a set of rows is one Python integer per bit, row r at place r."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["chosen", "difference", "is_less", "numbers_of", "product", "rows_of", "shifted", "summed", "total"]

Int64 = npt.NDArray[np.int64]
Number = list[int]


def rows_of(values: Int64, width: int) -> Number:
    """The bits of integers (two's complement) as rows."""
    packed = np.packbits(((values[None, :] >> np.arange(width)[:, None]) & 1).astype(np.uint8), 1, "little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def numbers_of(bits: Sequence[int], count: int) -> Int64:
    """The integers that rows of at most 62 bits are, not negative."""
    size, found = (count + 7) // 8, np.zeros(count, np.int64)
    mask = (1 << count) - 1
    for k, row in enumerate(bits):
        if row == 0:
            continue
        if row == mask:
            found += 1 << k
            continue
        column = np.unpackbits(np.frombuffer(row.to_bytes(size, "little"), np.uint8), count=count, bitorder="little")
        found += column.astype(np.int64) << k
    return found


def summed(a: Sequence[int], b: Sequence[int], carry: int) -> tuple[Number, int]:
    """(the bits of a + b + carry, the carry behind the last)."""
    made = []
    for x, y in zip(a, b, strict=True):
        either = x ^ y
        made.append(either ^ carry)
        carry = (x & y) | (carry & either)
    return made, carry


def difference(a: Sequence[int], b: Sequence[int], mask: int) -> tuple[Number, int]:
    """(the bits of a − b, 1 where nothing is borrowed)."""
    return summed(a, [mask ^ y for y in b], mask)


def is_less(a: Sequence[int], b: Sequence[int], signed: bool, mask: int) -> int:
    """Rows in which a < b."""
    if signed:
        a, b = [*a[:-1], mask ^ a[-1]], [*b[:-1], mask ^ b[-1]]
    return mask ^ difference(a, b, mask)[1]


def product(a: Sequence[int], b: Sequence[int]) -> Number:
    """The low bits of a · b, as many as a has; both have as many."""
    width = len(a)
    found = [0] * width
    for k, each in enumerate(b):
        if each:
            found[k:] = summed(found[k:], [x & each for x in a[: width - k]], 0)[0]
    return found


def chosen(select: int, zero: int, one: int, mask: int) -> int:
    """`one` in the rows of select, else `zero`."""
    if select == 0 or zero == one:
        return zero
    if select == mask:
        return one
    return zero ^ (select & (zero ^ one))


def shifted(number: Number, amount: Sequence[int], move: Callable[[Number, int], Number], mask: int) -> Number:
    """A number moved by an amount that differs from row to row: step by step, by each bit of the amount."""
    for k, bit in enumerate(amount):
        if bit:
            moved = move(number, 1 << min(k, 20))
            number = [chosen(bit, stay, go, mask) for stay, go in zip(number, moved, strict=True)]
    return number


def total(rows: int) -> int:
    """How many rows are set."""
    return rows.bit_count()
