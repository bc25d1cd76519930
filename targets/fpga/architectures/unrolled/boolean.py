"""Boolean functions of at most six bits of a netlist: what is left of them when constants, copies and inverters are
taken away, and when a function is put in the place of an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .netlist import ONE, ZERO, Bit, CellKind, Netlist

__all__ = ["MOST_INPUTS", "Boolean", "function_of", "made_by", "substituted"]

MOST_INPUTS = 6
_PLACES = tuple(sum(1 << x for x in range(64) if x >> place & 1) for place in range(MOST_INPUTS))
"""Of each input the numbers x, as bits of a word, in which it is 1."""


@dataclass(frozen=True)
class Boolean:
    """A function that depends on each of its `inputs`: bit x of `table`, x their number.

    The inputs differ, are neither constant nor inverted, and stand in order: equal functions are equal.
    """

    inputs: tuple[Bit, ...]
    table: int


def function_of(inputs: Sequence[Bit], table: int) -> Boolean:
    """Bit x of `table`, x the number of `inputs` (at most six, of any kind), in its shortest form."""
    left = list(inputs)
    place = 0
    while place < len(left):
        bit = left[place]
        if bit.inverted:
            left[place] = bit = ~bit
            table = _swapped(table, place, len(left))
        low, high = _halves(table, place, len(left))
        if bit in left[:place]:
            # A copy: where the earlier one is 0, so is this one.
            ones = _PLACES[left.index(bit)] & _full(len(left) - 1)
            low = low & ~ones | high & ones
        elif low != high and bit not in (ZERO, ONE):
            place += 1
            continue
        table = high if bit == ONE else low
        del left[place]
        place = 0  # it may not depend on an earlier one any more
    order = sorted(range(len(left)), key=lambda p: (left[p].cell, left[p].index))
    return Boolean(tuple(left[p] for p in order), _permuted(table, order))


def made_by(netlist: Netlist, bit: Bit) -> Boolean | None:
    """The function that a table of the netlist makes of few bits; None of any other bit."""
    cell = netlist.cells[bit.cell] if bit.cell >= 0 else None
    if cell is None or cell.kind is not CellKind.TABLE or len(cell.inputs) > MOST_INPUTS:
        return None
    return function_of(cell.inputs, cell.shape[bit.index])


def substituted(function: Boolean, place: int, inner: Boolean) -> Boolean | None:
    """`function` with `inner` for its input at a place; None if it depends on more than six bits then."""
    rest = [bit for position, bit in enumerate(function.inputs) if position != place]
    inputs = [*rest, *(bit for bit in inner.inputs if bit not in rest)]
    if len(inputs) > MOST_INPUTS:
        return None
    low, high = _halves(function.table, place, len(function.inputs))
    chosen = [inputs.index(bit) for bit in inner.inputs]
    table = 0
    for x in range(1 << len(inputs)):
        number = sum((x >> position & 1) << k for k, position in enumerate(chosen))
        half = high if inner.table >> number & 1 else low
        table |= (half >> (x & (1 << len(rest)) - 1) & 1) << x
    return function_of(inputs, table)


def _full(inputs: int) -> int:
    return (1 << (1 << inputs)) - 1


def _halves(table: int, place: int, inputs: int) -> tuple[int, int]:
    """The tables of the other inputs where this one is 0, and where it is 1."""
    size, low, high = 1 << place, 0, 0
    for block in range(1 << inputs - place - 1):
        piece = table >> (block << place + 1)
        low |= (piece & (1 << size) - 1) << block * size
        high |= (piece >> size & (1 << size) - 1) << block * size
    return low, high


def _swapped(table: int, place: int, inputs: int) -> int:
    """The table where this input is the inverted one."""
    ones, size = _PLACES[place] & _full(inputs), 1 << place
    return (table & ones) >> size | (table & ~ones) << size


def _permuted(table: int, order: Sequence[int]) -> int:
    """The table where input k is what was input order[k]."""
    if list(order) == list(range(len(order))):
        return table
    found = 0
    for x in range(1 << len(order)):
        number = sum((x >> k & 1) << position for k, position in enumerate(order))
        found |= (table >> number & 1) << x
    return found
