"""Thresholds as one multiplication, one addition and a shift: clip((acc · m + a) >> s, 0, levels), exactly.

Thresholds that stand for the rounding of a line lie almost on a line themselves. The line (m, a, s) counts them without
an error if, for each threshold T[k] (k = 1 …) within reach of the accumulator,

    T[k] · m + a ≥ k · 2^s          the level is reached at T[k]
    (T[k] − 1) · m + a < k · 2^s    and not one earlier

Both sides ascend with acc, so equality at these accumulators is equality at all: what is found is proved. A threshold
that the accumulator never reaches, or always does, only bounds the line at an end of the range. For σ = m / 2^s there
is an offset exactly where

    g(σ) = max over reached points (k − x · σ) − min over missed points (k − x · σ) < 0

and g is convex: the slopes that serve are one open interval, each end of it made by two points. Newton's steps on the
convex hulls of the points find both in Python's integers, whatever the widths.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .value_range import ValueRange

__all__ = [
    "ANY_WIDTHS",
    "LinePoints",
    "LineWidths",
    "ThresholdLine",
    "find_line",
    "find_lines",
    "find_points",
    "roundest",
]

_Point = tuple[int, int]
_Pair = tuple[_Point, _Point]


@dataclass(frozen=True)
class LineWidths:
    """The integers that whoever computes a line can afford.

    Parameters
    ----------
    multiplier_bits : m < 2^multiplier_bits.
    offset_bits : a fits so many bits, signed.
    offset_places, offset_base : a − offset_base is divisible by 2^offset_places, and fits the bits in its place.
    total_bits : acc · m and acc · m + a fit so many bits, signed, for every reachable acc.
    shifts : the values of s that may be taken, in the order of preference.
    """

    multiplier_bits: int = 40
    offset_bits: int = 80
    offset_places: int = 0
    offset_base: int = 0
    total_bits: int = 80
    shifts: Sequence[int] = range(49)


ANY_WIDTHS = LineWidths()
"""As if integers had no width: whether there is a line at all."""

_MOST_TRIED = 24


@dataclass(frozen=True)
class ThresholdLine:
    """y = clip((acc · multiplier + offset) >> shift, 0, levels), and one more or less within the spans of `exceptions`.

    Parameters
    ----------
    multiplier, offset, shift, levels : integers; only the offset may be negative.
    exceptions : (level, first, beyond, change) of each threshold that the line misses, levels counted from 1: for
        first ≤ acc < beyond the answer is what the line gives, plus change. Changes add up. The threshold itself is
        `first` if change is 1, `beyond` if it is −1.
    """

    multiplier: int
    offset: int
    shift: int
    levels: int
    exceptions: tuple[tuple[int, int, int, int], ...] = ()

    def __call__(self, acc: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The count for accumulators, integers [any shape], computed without limits of width."""
        line = (acc.astype(object) * self.multiplier + self.offset) >> self.shift
        y: npt.NDArray[np.int64] = np.clip(line, 0, self.levels).astype(np.int64)
        for _, first, beyond, change in self.exceptions:
            y += change * ((acc >= first) & (acc < beyond))
        return y


@dataclass(frozen=True)
class LinePoints:
    """What a line must keep: (acc · m + a) >> s is at least the level at `reached` points, below it at `missed` ones.

    Parameters
    ----------
    reached, missed : points (accumulator, level); accumulators ascend, and so do levels.
    low, high : ends of the accumulator's range.
    levels : results are clipped to 0 … levels.
    always, last : number of thresholds that every accumulator reaches, and that some accumulator does.
    thresholds : the thresholds themselves. without : levels (from 1) that a line need not keep: its exceptions.
    """

    reached: tuple[_Point, ...]
    missed: tuple[_Point, ...]
    low: int
    high: int
    levels: int
    always: int
    last: int
    thresholds: tuple[int, ...]
    without: frozenset[int] = frozenset()

    @classmethod
    def of(cls, thresholds: Sequence[int], low: int, high: int, without: frozenset[int] = frozenset()) -> LinePoints:
        """Of thresholds in ascending order and an accumulator low … high."""
        row = tuple(int(value) for value in thresholds)
        always, last = bisect_right(row, low), bisect_right(row, high)
        inside = [(row[k - 1], k) for k in range(always + 1, last + 1) if k not in without]
        reached = [(low, always)] if always > 0 else []
        missed = [(high, last + 1)] if last < len(row) else []
        missed = [*((x - 1, k) for x, k in inside), *missed]
        return cls((*reached, *inside), tuple(missed), low, high, len(row), always, last, row, without)

    @cached_property
    def _hulls(self) -> tuple[list[_Point], list[_Point]]:
        """The points that can be the largest level − x · σ of the reached, the smallest of the missed."""
        return _hull(self.reached, 1), _hull(self.missed, -1)

    @cached_property
    def _ends(self) -> tuple[list[_Pair], list[_Pair], bool]:
        """Pairs (reached, missed) whose last makes the lower end of the slopes, the same of the upper end (none: there
        is no such end), and whether slopes lie between them."""
        above, below = self._hulls
        if not above or not below:
            return [], [], True
        lower, some = _ascend(above, below)
        return (lower, _descend(above, below), True) if some else (lower, [], False)

    @property
    def on_a_line(self) -> bool:
        """Whether any line keeps all points."""
        return self._ends[2]

    def multipliers(self, shift: int, bits: int = 40) -> range:
        """All m of at most so many bits for which there is an offset at this shift."""
        lower, upper, some = self._ends
        if not some:
            return range(0)
        first, beyond = 0, 1 << bits
        if lower:
            (x, k), (y, j) = lower[-1]
            first = ((k - j) << shift) // (x - y) + 1
        if upper:
            (x, k), (y, j) = upper[-1]
            beyond = min(beyond, -(-((j - k) << shift) // (y - x)))
        return range(first, max(first, beyond))

    def offsets(self, multiplier: int, shift: int) -> range:
        """All a with which the line keeps the points; where they bound it on one side alone, the one nearest to 0."""
        above, below = self._hulls
        least = max(((k << shift) - x * multiplier for x, k in above), default=None)
        beyond = min(((k << shift) - x * multiplier for x, k in below), default=None)
        if least is None:
            return range(min(0, beyond - 1), min(1, beyond)) if beyond is not None else range(1)
        return range(least, beyond) if beyond is not None else range(max(least, 0), max(least, 0) + 1)

    def multipliers_with(self, offset: int, shift: int, bits: int = 40) -> range:
        """All m of at most so many bits with which the line keeps the points at this very offset."""
        least, most = 0, (1 << bits) - 1
        above, below = self._hulls
        # x · m ≥ needed, where a missed point is turned round.
        bounds = [(x, (k << shift) - offset) for x, k in above] + [(-x, 1 + offset - (k << shift)) for x, k in below]
        for x, needed in bounds:
            if x > 0:
                least = max(least, -(-needed // x))
            elif x < 0:
                most = min(most, -needed // -x)
            elif needed > 0:
                return range(0)
        return range(least, max(least, most + 1))

    def line(self, widths: LineWidths) -> ThresholdLine | None:
        """The line of the first shift that has one within these widths, its offset divisible by a high power of two;
        None if there is none."""
        for shift in widths.shifts:
            for multiplier in self._tried(shift, widths):
                offset = self._offset(multiplier, shift, widths)
                if offset is not None:
                    return self.completed(ThresholdLine(multiplier, offset, shift, self.levels))
        return None

    def _tried(self, shift: int, widths: LineWidths) -> Iterator[int]:
        """Some of many multipliers, from the least to the largest; where offsets are coarse, those of some offsets."""
        multipliers = self.multipliers(shift, widths.multiplier_bits)
        some = multipliers[:: -(-len(multipliers) // _MOST_TRIED) or 1]
        yield from some
        if widths.offset_places and len(some) > 1:
            found, step = [self.offsets(m, shift) for m in (*some, multipliers[-1])], 1 << widths.offset_places
            least, beyond = min(each.start for each in found), max(each.stop for each in found)
            offsets = range(least + (widths.offset_base - least) % step, beyond, step)
            for offset in offsets[:: -(-len(offsets) // _MOST_TRIED) or 1]:
                yield from self.multipliers_with(offset, shift, widths.multiplier_bits)[:1]

    def _offset(self, multiplier: int, shift: int, widths: LineWidths) -> int | None:
        limit, places, base = 1 << (widths.offset_bits - 1), widths.offset_places, widths.offset_base
        offsets = self.offsets(multiplier, shift)
        least = -(-max(offsets.start - base, -limit) >> places)
        most = min(offsets.stop - 1 - base, limit - 1) >> places
        if least > most:
            return None
        offset = (roundest(least, most) << places) + base
        ends = [x * multiplier + plus for x in (self.low, self.high) for plus in (0, offset)]
        total = 1 << (widths.total_bits - 1)
        return offset if -total <= min(ends) and max(ends) < total else None

    def completed(self, line: ThresholdLine) -> ThresholdLine:
        """A line that keeps the points, with the thresholds of `without` that it misses as its exceptions."""
        found = []
        for level in sorted(self.without):
            needed, threshold = (level << line.shift) - line.offset, self.thresholds[level - 1]
            if line.multiplier:
                crossing = min(max(-(-needed // line.multiplier), self.low), self.high + 1)
            else:
                crossing = self.low if needed <= 0 else self.high + 1
            if crossing != threshold:
                change = 1 if threshold < crossing else -1
                found.append((level, min(crossing, threshold), max(crossing, threshold), change))
        return replace(line, exceptions=tuple(found))

    @property
    def conflict(self) -> frozenset[int]:
        """Levels of which at least one must be left out for there to be slopes that are not there with all of them."""
        lower, upper, some = self._ends
        pairs = [*lower[-1:], *upper[-1:]] if some else lower[-2:]
        return frozenset(level for pair in pairs for _, level in pair if self.always < level <= self.last)


def roundest(least: int, most: int) -> int:
    """The integer of least … most that is divisible by the highest power of two; 0 if it is one of them."""
    if least <= 0 <= most:
        return 0
    places = (most ^ (least - 1)).bit_length() - 1
    return most >> places << places


def find_points(
    thresholds: Sequence[int] | npt.NDArray[Any],
    low: int,
    high: int,
    widths: LineWidths = ANY_WIDTHS,
    most_exceptions: int = 0,
) -> LinePoints | None:
    """What a line within these widths can keep, with as few thresholds left out as it takes.

    thresholds : integers [levels], ascending; the accumulator is low … high. None if more than `most_exceptions` would
    have to be left out.
    """
    points = LinePoints.of([int(value) for value in thresholds], low, high)
    if not most_exceptions or points.line(widths) is not None:
        return points if points.line(widths) is not None else None
    if _needed(points, widths, most_exceptions) > most_exceptions:
        return None
    tries = (_leaving_out(points, widths, count) for count in range(1, most_exceptions + 1))
    return next((found for found in tries if found is not None), None)


def find_line(
    thresholds: Sequence[int] | npt.NDArray[Any],
    low: int,
    high: int,
    widths: LineWidths = ANY_WIDTHS,
    most_exceptions: int = 0,
) -> ThresholdLine | None:
    """The line that keeps what `find_points` finds, with its exceptions; None if there is none."""
    points = find_points(thresholds, low, high, widths, most_exceptions)
    return points.line(widths) if points is not None else None


def find_lines(
    thresholds: npt.NDArray[Any], acc: ValueRange, widths: LineWidths = ANY_WIDTHS, most_exceptions: int = 0
) -> list[ThresholdLine | None]:
    """`find_line` for each channel of thresholds int [channels, levels] and the range of their accumulators. With one
    shift in `widths.shifts` all lines have that."""
    return [
        find_line(row, int(low), int(high), widths, most_exceptions)
        for row, low, high in zip(thresholds, acc.low, acc.high, strict=True)
    ]


def _without(points: LinePoints, more: frozenset[int]) -> LinePoints:
    return LinePoints.of(points.thresholds, points.low, points.high, points.without | more)


def _needed(points: LinePoints, widths: LineWidths, most: int) -> int:
    """So many exceptions every line has: conflicts without a common level, counted up to most + 1."""
    for count in range(most + 1):
        if points.line(widths) is not None:
            return count
        if not points.conflict:
            break
        points = _without(points, points.conflict)
    return most + 1


def _leaving_out(points: LinePoints, widths: LineWidths, count: int) -> LinePoints | None:
    if points.line(widths) is not None:
        return points
    for level in sorted(points.conflict) if count else ():
        found = _leaving_out(_without(points, frozenset({level})), widths, count - 1)
        if found is not None:
            return found
    return None


def _hull(points: Sequence[_Point], side: int) -> list[_Point]:
    """The upper hull (side 1) or the lower hull (−1) of points whose first coordinates ascend."""
    hull: list[_Point] = []
    for x, k in points:
        if hull and hull[-1][0] == x:
            if side * (k - hull[-1][1]) <= 0:
                continue
            hull.pop()
        while len(hull) > 1:
            (x0, k0), (x1, k1) = hull[-2:]
            if side * ((k1 - k0) * (x - x1) - (k - k1) * (x1 - x0)) > 0:
                break
            hull.pop()
        hull.append((x, k))
    return hull


def _ascend(above: list[_Point], below: list[_Point]) -> tuple[list[_Pair], bool]:
    """Newton's steps from σ = 0 up to where g falls below 0: the pairs on the way, and whether it does."""
    pairs: list[_Pair] = []
    p, q = 0, 1  # σ = p / q
    while True:
        reached = max(above, key=lambda point: (point[1] * q - point[0] * p, -point[0]))
        missed = min(below, key=lambda point: (point[1] * q - point[0] * p, -point[0]))
        rise, run = reached[1] - missed[1], reached[0] - missed[0]
        gap = rise * q - run * p
        if gap < 0:
            return pairs, True
        pairs.append((reached, missed))
        if run <= 0:
            return pairs, False
        if gap == 0:
            return pairs, True
        p, q = rise, run


def _descend(above: list[_Point], below: list[_Point]) -> list[_Pair]:
    """The same down from σ = ∞, where there are slopes that serve."""
    reached = min(above, key=lambda point: (point[0], -point[1]))
    missed = max(below, key=lambda point: (point[0], -point[1]))
    pairs: list[_Pair] = []
    gap = 1
    while gap > 0 and missed[0] > reached[0]:
        pairs.append((reached, missed))
        p, q = missed[1] - reached[1], missed[0] - reached[0]
        reached = max(above, key=lambda point: (point[1] * q - point[0] * p, point[0]))
        missed = min(below, key=lambda point: (point[1] * q - point[0] * p, point[0]))
        gap = (reached[1] - missed[1]) * q - (reached[0] - missed[0]) * p
    return pairs
