"""A rounding rule as one multiplication, one addition and a shift: y = (x · multiplier + offset) >> places, exactly.

Every rule of the int8 form rounds x · eff, and so its levels begin at integers T[k] that lie almost on a line. If a
line over integers separates x = T[k] from x = T[k] − 1 for every level k, floor((x · m + c) / 2^s) is the rule itself,
with far fewer bits than its multiplier has, and without its ties: they are in the line. A rule whose ties go away from
zero may need another offset for x < 0; ties to even at a factor 2^−s add bit s of x before the shift. What is found is
proved on the thresholds, not on samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import ValueRange
from edgeml.network.layers.requantize import Requantize

from .signed_digits import signed_digits

__all__ = ["Levels", "Line", "fit_line", "layer_levels"]

Int64 = npt.NDArray[np.int64]
_MOST_PLACES = 44
_MOST_TRIED = 48
_FURTHER = 3
_LARGEST_POWER = 25


@dataclass(frozen=True)
class Line:
    """(x · multiplier + (x < 0 ? negative_offset : offset) + (even ? (x >> places) & 1 : 0)) >> places."""

    multiplier: int
    offset: int
    negative_offset: int
    places: int
    even: bool = False

    def __call__(self, x: Int64) -> Int64:
        """The function for x int64 [any shape]."""
        total = x * self.multiplier + np.where(x < 0, self.negative_offset, self.offset)
        result: Int64 = (total + ((x >> self.places) & int(self.even))) >> self.places
        return result


@dataclass(frozen=True, eq=False)
class Levels:
    """The outputs 0 … count of a channel for x = low … high: at `first` for x = low, one more from each threshold on.

    Parameters
    ----------
    thresholds : int64, ascending, all within low + 1 … high; first + their number is the output at `high`.
    low, high : ends of x. first : output at `low`. count : largest output of any channel, if results are clipped
        (as they are at 0).
    """

    thresholds: Int64
    low: int
    high: int
    first: int
    count: int

    @property
    def last(self) -> int:
        """Output at `high`."""
        return self.first + len(self.thresholds)


def layer_levels(layer: Requantize, acc: ValueRange) -> tuple[list[Levels], int]:
    """(levels of each channel, output that level 0 stands for); NetworkError where there are more than 256."""
    counter = layer.as_threshold(acc)
    base, highest = layer.output_range(acc).bounds
    found = []
    for channel, row in enumerate(counter.thresholds.astype(np.int64)):
        low, high = int(acc.low[channel]), int(acc.high[channel])
        within = row[(row > low) & (row <= high)]
        found.append(Levels(within, low, high, int((row <= low).sum()), highest - base))
    return found, base


@dataclass(frozen=True, eq=False)
class _Points:
    """Points (x, level) at which a line must have reached a level, or must not have; int64 [points] each."""

    reached_at: Int64
    reached: Int64
    missed_at: Int64
    missed: Int64

    def where(self, negative: bool) -> _Points:
        """Those with x < 0, or the others."""
        a, b = (self.reached_at < 0) == negative, (self.missed_at < 0) == negative
        return _Points(self.reached_at[a], self.reached[a], self.missed_at[b], self.missed[b])

    def gap(self, slope: float) -> float:
        """By how much no offset serves, in levels: negative if one does."""
        if not len(self.reached) or not len(self.missed):
            return -np.inf
        return float((self.reached - slope * self.reached_at).max() - (self.missed - slope * self.missed_at).min())

    def offset(self, multiplier: int, places: int) -> int | None:
        """The smallest offset with which the line keeps all points, in exact arithmetic; None if there is none."""
        least = (self.reached << places) - multiplier * self.reached_at
        most = (self.missed << places) - multiplier * self.missed_at
        if not len(least):
            return int(most.min()) - 1 if len(most) else 0
        return int(least.max()) if not len(most) or int(least.max()) < int(most.min()) else None


def _points(levels: Levels, clipped: bool) -> _Points:
    numbers = levels.first + 1 + np.arange(len(levels.thresholds))
    reached = [(levels.thresholds, numbers)]
    missed = [(levels.thresholds - 1, numbers)]
    if not (clipped and levels.first == 0):
        reached.append((np.array([levels.low]), np.array([levels.first])))
    if not (clipped and levels.last == levels.count):
        missed.append((np.array([levels.high]), np.array([levels.last + 1])))
    for x, points, more in ((-1, missed, 1), (0, reached, 0)):
        # At the place at which the negative values end and the others begin, both lines must be right.
        level = levels.first + int((levels.thresholds <= x).sum())
        beyond = clipped and (level == levels.count if more else level == 0)
        if levels.low <= x <= levels.high and not beyond:
            points.append((np.array([x]), np.array([level + more])))
    parts = [
        np.concatenate([entry[k] for entry in points]).astype(np.int64) for points in (reached, missed) for k in (0, 1)
    ]
    return _Points(*parts)


def _slopes(groups: Sequence[_Points], levels: Levels) -> tuple[float, float] | None:
    """About which slopes keep all points: the gap is convex in the slope, so they are one interval."""

    def gap(slope: float) -> float:
        return max(group.gap(slope) for group in groups)

    thresholds = levels.thresholds
    low, high = 0.0, 4.0 * (len(thresholds) + 1) / max(int(thresholds[-1] - thresholds[0]), 0.25)
    left, right = low, high
    for _ in range(120):
        third = (right - left) / 3
        if gap(left + third) < gap(right - third):
            right -= third
        else:
            left += third
    best = (left + right) / 2
    if gap(best) >= 0:
        return None
    ends = []
    for outside in (low, high):
        inside = best
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if gap(middle) < 0 else (inside, middle)
        ends.append(inside)
    return ends[0], ends[1]


def fit_line(levels: Levels, *, clipped: bool) -> Line | None:
    """The line that gives `levels` for every x in their range: the one with the fewest digits among the shortest.

    clipped : whether results are clipped to 0 … count afterwards, so that a line may go beyond.
    None if there is no line, or none with 44 places. One offset is preferred to two.
    """
    if not len(levels.thresholds):
        return Line(0, levels.first, levels.first, 0)
    points = _points(levels, clipped)
    for groups in ([points], [points.where(False), points.where(True)]):
        slopes = _slopes(groups, levels)
        line = _shortest(groups, slopes) if slopes is not None else None
        if line is not None:
            return line
    return _ties_to_even(points, levels)


def _ties_to_even(points: _Points, levels: Levels) -> Line | None:
    for places in range(1, _LARGEST_POWER):
        # The first level begins at its tie, or one above it.
        number, tie = levels.first + 1, ((1 << places) >> 1)
        shift = number - (int(levels.thresholds[0]) + tie - 1 >> places)
        for whole in (shift - 1, shift):
            offset = (whole << places) + tie - 1
            line = Line(1, offset, offset, places, even=True)
            if np.all(line(points.reached_at) >= points.reached) and np.all(line(points.missed_at) < points.missed):
                return line
    return None


def _shortest(groups: Sequence[_Points], slopes: tuple[float, float]) -> Line | None:
    best: Line | None = None
    last = _MOST_PLACES
    places = 0
    while places <= last:
        low, high = int(np.ceil(slopes[0] * 2**places)), int(slopes[1] * 2**places)
        step = max(1, (high - low + 1) // _MOST_TRIED)
        for multiplier in range(max(low, 1), high + 1, step):
            if best is not None and len(signed_digits(multiplier)) >= len(signed_digits(best.multiplier)):
                continue
            offsets = [group.offset(multiplier, places) for group in groups]
            if offsets[0] is not None and offsets[-1] is not None:
                last = min(last, places + _FURTHER) if best is None else last
                best = Line(multiplier, offsets[0], offsets[-1], places)
        places += 1
    return best
