"""Sums of functions of few bits: functions of several values in one table, equal functions once, then an adder tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .netlist import Bit, Netlist
from .tables import function_bits
from .value import spread

__all__ = ["TableOfBits", "joined", "term_bits"]

_MOST_OUTPUTS = 32
"""Functions in one cell: a line of Verilog for each cell stays readable."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TableOfBits:
    """A term of each output's sum: terms[x, output], x the number of `bits`, smallest first; the smallest term of each
    output is 0. What `names` stand for is for people to read."""

    bits: tuple[Bit, ...]
    terms: Ints
    names: tuple[str, ...]

    @property
    def widths(self) -> npt.NDArray[np.int64]:
        """Bits of the term of each output."""
        return np.array([int(most).bit_length() for most in self.terms.max(axis=0)], np.int64)

    def __add__(self, other: TableOfBits) -> TableOfBits:
        """The table of both terms' sum."""
        terms = (other.terms[:, None, :] + self.terms[None, :, :]).reshape(-1, self.terms.shape[1])
        return TableOfBits(self.bits + other.bits, terms, self.names + other.names)


def joined(tables: Sequence[TableOfBits], most_bits: int) -> list[TableOfBits]:
    """The same sums with tables of few bits made one, up to `most_bits` together, where that costs less."""
    left = sorted(tables, key=lambda table: -len(table.bits))
    found = []
    while left:
        group = [left.pop(0)]
        room = most_bits - len(group[0].bits)
        for table in list(left):
            if len(table.bits) <= room:
                group.append(table)
                left.remove(table)
                room -= len(table.bits)
        whole = group[0]
        for table in group[1:]:
            whole = whole + table
        found += [whole] if _cost(whole) <= sum(_cost(table) for table in group) else group
    return found


def _cost(table: TableOfBits) -> int:
    """Lookup tables, about: one for each function that is made, one for each bit that is to be added up."""
    planes = np.unique(_planes(table)[0], axis=1) if table.terms.any() else np.zeros((1, 0))
    return int(planes.shape[1]) + int(table.widths.sum())


def _planes(table: TableOfBits) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], list[tuple[int, int]]]:
    """(bit planes, packed by x; which of them are stored inverted, so that x = 0 gives 0; output and place of each)."""
    places = [(output, place) for output, width in enumerate(table.widths) for place in range(width)]
    output, place = np.array(places, np.int64).reshape(-1, 2).T
    planes = ((table.terms[:, output] >> place) & 1).astype(np.bool_)
    inverted = planes[0].copy()
    return np.packbits(planes ^ inverted, axis=0, bitorder="little"), inverted, places


def term_bits(netlist: Netlist, tables: Sequence[TableOfBits], outputs: int, layer: str) -> list[list[list[Bit]]]:
    """The bits of all terms of each output by weight: columns [output][place]. Equal functions of the same bits, and
    those of which one is the other's complement, are made once."""
    columns: list[list[list[Bit]]] = [[] for _ in range(outputs)]
    for table in tables:
        planes, inverted, places = _planes(table)
        if not places:
            continue
        different, index = np.unique(planes, axis=1, return_inverse=True)
        note = f"{layer}: of {', '.join(table.names)}"
        made: list[Bit] = []
        for start in range(0, different.shape[1], _MOST_OUTPUTS):
            part = different[:, start : start + _MOST_OUTPUTS]
            unpacked = np.unpackbits(part, axis=0, count=len(table.terms), bitorder="little").astype(np.int64)
            results = (unpacked << np.arange(part.shape[1])).sum(axis=1).tolist()
            made += function_bits(netlist, table.bits, results, part.shape[1], note)
        for (output, place), number, invert in zip(places, index.ravel(), inverted, strict=True):
            bit = made[number]
            spread(columns[output], [~bit if invert else bit], place)
    return columns
