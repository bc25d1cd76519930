"""Tests of a sample's bytes, 64 at a time: which of them one comparison of a vector gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RowTest", "all_bits", "row_tests"]

_EIGHT, _WINDOW = 8, 64


@dataclass(frozen=True, eq=False)
class RowTest:
    """64 tests of one kind within 64 bytes; those of no number are of any byte.

    Parameters
    ----------
    kind : of the C function `edgeml_slices_<kind>`.
    base : byte of the row from which `place` counts.
    place, operand : uint8 [64]; each eight places are one behind the other. None where the tests are all bits of the
        eight bytes from `base` on, the lowest first.
    made : (number, bit) of each test that is among them.
    """

    kind: str
    base: int
    place: npt.NDArray[np.uint8] | None
    operand: npt.NDArray[np.uint8] | None
    made: tuple[tuple[int, int], ...]

    @property
    def eights(self) -> int:
        """Up to which eight of the tests there are such."""
        return max(bit for _, bit in self.made) // _EIGHT + 1

    @property
    def together(self) -> bool:
        """Whether test t is of byte t."""
        return self.place is not None and bool(np.array_equal(self.place, np.arange(_WINDOW)))


_Group = tuple[int, dict[int, int]]
"""First of eight bytes, and the tests of them by place."""
_Turn = tuple[int, int, dict[int, int]]
"""The same behind how often these bytes were tested before."""


def row_tests(kind: str, source: npt.NDArray[np.int64], operand: npt.NDArray[np.int64], size: int) -> list[RowTest]:
    """The tests operand[n] of byte source[n] of rows of `size` bytes, at least 8, as few vectors as are found."""
    ways = []
    for groups in (_aligned(source.tolist(), size), _fewest(source.tolist(), size)):
        by_turn, by_byte = (
            sorted(groups, key=lambda each: each[:2]),
            sorted(groups, key=lambda each: (each[1], each[0])),
        )
        orders = (_fours_first(by_turn), by_turn, by_byte)
        ways += [_vectors([(start, tests) for _, start, tests in order], size) for order in orders]
    chosen = min(ways, key=len)
    return [_as_test(kind, base, vector, operand) for base, vector in chosen]


def all_bits(kind: str, source: npt.NDArray[np.int64], bit: npt.NDArray[np.int64], size: int) -> list[RowTest]:
    """The tests whether bit[n] of byte source[n] is 1, of rows of `size` bytes, at least 8: eight bytes as they lie."""
    starts = np.minimum(source // _EIGHT * _EIGHT, size - _EIGHT)
    found = []
    for start in np.unique(starts).tolist():
        inside = np.flatnonzero(starts == start)
        places = _EIGHT * (source[inside] - start) + bit[inside]
        found.append(RowTest(kind, start, None, None, tuple(zip(inside.tolist(), places.tolist(), strict=True))))
    return found


def _aligned(source: Sequence[int], size: int) -> list[_Turn]:
    """(turn, first byte, tests by place): eight bytes are tested as often as the one of the most tests."""
    found: dict[tuple[int, int], dict[int, int]] = {}
    turns: dict[int, int] = {}
    for number, byte in enumerate(source):
        start = min(byte // _EIGHT * _EIGHT, size - _EIGHT)
        turn = turns[byte] = turns.get(byte, -1) + 1
        found.setdefault((turn, start), {})[byte - start] = number
    return [(turn, start, tests) for (turn, start), tests in found.items()]


def _fewest(source: Sequence[int], size: int) -> list[_Turn]:
    """The same, as few groups as can be: each begins at the first byte that has a test left."""
    left: dict[int, list[int]] = {}
    for number, byte in enumerate(source):
        left.setdefault(byte, []).append(number)
    found: list[_Turn] = []
    while left:
        start = min(*left, size - _EIGHT)
        there = [byte for byte in range(start, start + _EIGHT) if byte in left]
        turn = sum(start == before for _, before, _ in found)
        found.append((turn, start, {byte - start: left[byte].pop(0) for byte in there}))
        left = {byte: numbers for byte, numbers in left.items() if numbers}
    return found


def _fours_first(groups: Sequence[_Turn]) -> list[_Turn]:
    """Four groups that are 32 bytes one behind the other, which are one vector as they lie; then the others."""
    fours: list[_Turn] = []
    others: list[_Turn] = []
    for each in groups:
        others.append(each)
        last = others[-4:]
        if [(turn, start) for turn, start, _ in last] == [(each[0], each[1] - _EIGHT * k) for k in (3, 2, 1, 0)]:
            fours += last
            del others[-4:]
    return fours + others


def _vectors(groups: Sequence[_Group], size: int) -> list[tuple[int, list[_Group]]]:
    """Eight groups each, or as many as a window of 64 bytes holds."""
    vectors: list[list[_Group]] = []
    for start, tests in groups:
        last = vectors[-1] if vectors else []
        starts = [start, *(each for each, _ in last)]
        if last and len(last) < _EIGHT and max(starts) + _EIGHT - min(starts) <= _WINDOW:
            last.append((start, tests))
        else:
            vectors.append([(start, tests)])
    return [(max(0, min(min(start for start, _ in each), size - _WINDOW)), each) for each in vectors]


def _as_test(kind: str, base: int, vector: Sequence[_Group], operand: npt.NDArray[np.int64]) -> RowTest:
    place = np.tile(np.arange(_EIGHT), _EIGHT)
    place[_EIGHT * len(vector) :] += vector[-1][0] - base
    values, made = np.zeros(_WINDOW, np.int64), []
    for which, (start, tests) in enumerate(vector):
        place[_EIGHT * which : _EIGHT * (which + 1)] += start - base
        for at, number in tests.items():
            values[_EIGHT * which + at] = operand[number]
            made.append((number, _EIGHT * which + at))
    return RowTest(kind, base, place.astype(np.uint8), values.astype(np.uint8), tuple(made))
