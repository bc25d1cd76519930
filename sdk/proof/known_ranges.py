"""Which rows of some bits can come at all: numbers whose range is known, and numbers whose range follows from those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .circuit import Circuit, Sum, all_rows
from .cut_points import CutPoints

__all__ = ["MOST_ROWS", "KnownRanges", "SumRange", "Word", "columns_of", "spans_of"]

MOST_ROWS = 16
"""Bits whose rows are all looked at."""
_MOST_WORD_BITS = 16

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Word:
    """A number of bits (`~bit`: complements), lowest first, that lies within one of some spans (first, last).

    leaves : whose rows were looked at for it: one list, or of a sum that loses no carry one for each of its numbers.
    within : the words, by their place in a list, that say which rows can come.
    """

    bits: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    leaves: tuple[tuple[int, ...], ...] = ()
    within: tuple[int, ...] = ()

    def fits(self, places: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Which numbers the bits at some places can be together, bool [2^places]."""
        numbers = np.concatenate([np.arange(first, last + 1) for first, last in self.spans])
        found = np.zeros(1 << len(places), bool)
        found[sum(((numbers >> place) & 1) << k for k, place in enumerate(places))] = True
        return found


def spans_of(numbers: Int64) -> tuple[tuple[int, int], ...]:
    """Numbers as spans of consecutive ones."""
    distinct = np.unique(numbers)
    breaks = np.flatnonzero(np.diff(distinct) > 1)
    firsts, lasts = distinct[np.r_[0, breaks + 1]], distinct[np.r_[breaks, len(distinct) - 1]]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def columns_of(rows: Sequence[int], count: int) -> list[Int64]:
    """Rows, each one integer, as arrays of 0 and 1 [count]."""
    size = (count + 7) // 8
    return [
        np.unpackbits(np.frombuffer(row.to_bytes(size, "little"), np.uint8), count=count, bitorder="little").astype(
            np.int64
        )
        for row in rows
    ]


class KnownRanges:
    """The words of one layer: those of its inputs are given, those of named numbers are found when they are asked for.

    words : all of them so far, each behind those that it follows from.
    """

    def __init__(self, circuit: Circuit, points: CutPoints, given: Iterable[Word]) -> None:
        self.circuit = circuit
        self.points = points
        self.words = list(given)
        self._holding: dict[int, list[int]] = {}
        for place, word in enumerate(self.words):
            self._enter(place, word)
        self._ends = {1} | {_plain(bit) for word in self.words for bit in word.bits}
        self._asked: set[str] = set()

    def _enter(self, place: int, word: Word) -> None:
        for bit in word.bits:
            self._holding.setdefault(bit if bit >= 0 else ~bit, []).append(place)

    def enter(self, word: Word) -> None:
        """Enter a word that follows from those before it."""
        self.words.append(word)
        self._enter(len(self.words) - 1, word)

    def allowed(self, leaves: Sequence[int], columns: Sequence[Int64], *, find: bool) -> tuple[Int64, tuple[int, ...]]:
        """(which rows of the leaves can come, bool; the words that say so). `find`: look for words not yet known."""
        if find:
            for name in sorted({self.points.word_of.get(leaf, "") for leaf in leaves} - {""}):
                self._find(name)
        column = dict(zip(leaves, columns, strict=True))
        can = np.ones(len(columns[0]) if columns else 1, bool)
        used = []
        for place in sorted({place for leaf in leaves for place in self._holding.get(leaf, ())}):
            word = self.words[place]
            if len(word.bits) > _MOST_WORD_BITS:
                continue
            known = [k for k, bit in enumerate(word.bits) if bit not in (0, 1) and _plain(bit) in column]
            number = np.zeros(len(can), np.int64)
            for k, at in enumerate(known):
                bit = word.bits[at]
                number += (column[bit] if bit >= 0 else 1 - column[~bit]) << k
            fits = word.fits(known)[number]
            if not fits.all():
                can &= fits
                used.append(place)
        return can, tuple(used)

    def values(self, number: Sequence[int], leaves: Sequence[int], within: set[int]) -> Int64 | None:
        """What a number of bits is in all rows of `leaves` that can come; None if the rows are too many.

        The words that say which can come are added to `within`.
        """
        if len(leaves) > MOST_ROWS or len(number) > _MOST_WORD_BITS:
            return None
        patterns, mask = all_rows(len(leaves))
        count = 1 << len(leaves)
        rows = self.circuit.rows(number, dict(zip(leaves, patterns, strict=True)), mask)
        value = sum((column << k for k, column in enumerate(columns_of(rows, count))), np.zeros(count, np.int64))
        can, used = self.allowed(leaves, columns_of(patterns, count), find=True)
        within.update(used)
        return value[can]

    def _find(self, name: str) -> None:
        """Enter what a named number can be, if less than all its bits could say follows."""
        if name in self._asked or not self._ends.isdisjoint(self.points.words.get(name, (1,))):
            return
        self._asked.add(name)
        bits = self.points.words[name]
        word = self._word(bits)
        if word is not None and word.spans != ((0, (1 << len(bits)) - 1),) and word not in self.words:
            self.enter(word)

    def _word(self, bits: tuple[int, ...]) -> Word | None:
        if not all(bit in self.circuit.driver for bit in bits) or len(bits) > _MOST_WORD_BITS:
            return None
        gate = self.circuit.gates[self.circuit.driver[bits[0]]]
        if isinstance(gate, Sum) and gate.outputs == bits:
            bounded = self.sum_range(gate)
            return None if bounded is None else Word(bits, (bounded.span,), bounded.leaves, bounded.within)
        within: set[int] = set()
        leaves = tuple(sorted({leaf for bit in bits for leaf in self.points.behind(bit)}))
        found = self.values(bits, leaves, within)
        return None if found is None else Word(bits, spans_of(found), (leaves,), tuple(sorted(within)))

    def sum_range(self, gate: Sum) -> SumRange | None:
        """The range of a sum whose carry never comes: that of its two numbers, added; None if it may come."""
        within: set[int] = set()
        leaves, low, high = [], 0, 0
        for side in (gate.a, gate.b):
            leaves.append(tuple(sorted({leaf for bit in side for leaf in self.points.support(bit)})))
            values = self.values(side, leaves[-1], within)
            if values is None:
                return None
            low, high = low + int(values.min()), high + int(values.max())
        if high >= 1 << len(gate.outputs):
            return None
        return SumRange((low, high), tuple(leaves), tuple(sorted(within)))


@dataclass(frozen=True)
class SumRange:
    """The span of a sum, the bits that each of its numbers was looked at by, and the words that it follows from."""

    span: tuple[int, int]
    leaves: tuple[tuple[int, ...], ...]
    within: tuple[int, ...]


def _plain(bit: int) -> int:
    return bit if bit >= 0 else ~bit
