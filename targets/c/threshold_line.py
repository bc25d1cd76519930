"""Thresholds that lie on a line but for rounding, as a multiplication, an addition and a shift, shown to be the same.

Thresholds of a uniform quantizer behind batch norm are T[k] = ⌈step · k + begin⌉. Accumulators are first clipped to
where the count changes. For integers slope M, offset B and shift S, (acc · M + B) >> S is the number of thresholds
reached if it steps from k − 1 to k between T[k] − 1 and T[k], for every k: T[k] · M + B ≥ k · 2^S and
(T[k] − 1) · M + B < k · 2^S. These are bounds of B for a given M; the room between them is a concave function of M, so
that its best M is found by bisection. Where there is room, nothing is left to check: the constraints are the equality.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NARROW_SHIFT", "Line", "line_through"]

Integers = npt.NDArray[np.int64]

NARROW_SHIFT = 24
"""With this shift and at most 255 levels, arithmetic modulo 2^32 is enough."""
_LARGEST_SHIFT = 46
_LARGEST_SLOPE = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Line:
    """#{k : acc[c] ≥ thresholds[c, k]} = (clip(acc[c], bottom[c], top[c]) · slope[c] + offset[c]) >> shift, the sum
    being ≥ 0.

    Parameters
    ----------
    bottom, top : int64 [channels], where the count is smallest and largest.
    slope, offset : int64 [channels]; slope is 0 … 2^31 − 1.
    shift : of all channels.
    """

    bottom: Integers
    top: Integers
    slope: Integers
    offset: Integers
    shift: int


@dataclass(frozen=True, eq=False)
class _Constraints:
    """Points [channels, levels + 1] that bound the line: reached at `at` from `level` on, not before."""

    at_least: Integers
    level: Integers
    lower: npt.NDArray[np.bool_]
    upper: npt.NDArray[np.bool_]

    def bounds(self, slope: Integers, shift: int) -> tuple[Integers, Integers]:
        """Smallest and largest offset for each channel's slope."""
        products = self.at_least * slope[:, None]
        reached = (self.level << shift) - products
        lowest = np.where(self.lower, reached, np.iinfo(np.int64).min).max(axis=1)
        highest = np.where(self.upper, reached + slope[:, None] - 1, np.iinfo(np.int64).max).min(axis=1)
        return lowest, highest


def _constraints(thresholds: Integers, low: Integers, high: Integers) -> _Constraints:
    channels, levels = thresholds.shape
    always = (thresholds <= low[:, None]).sum(axis=1)[:, None]
    reached = (thresholds <= high[:, None]).sum(axis=1)[:, None]
    level = np.arange(levels + 2)
    # level `always` holds from the lowest accumulator on; level `reached` + 1 never: one past the highest
    at = np.concatenate([low[:, None], thresholds, high[:, None] + 1], axis=1)
    at = np.where(level <= always, low[:, None], np.where(level > reached, high[:, None] + 1, at))
    lower = (level >= always) & (level <= reached)
    upper = (level > always) & (level <= reached + 1)
    return _Constraints(at, np.broadcast_to(level, (channels, levels + 2)), lower, upper)


def line_through(thresholds: npt.NDArray[np.integer], low: Integers, high: Integers) -> Line | None:
    """The line of thresholds [channels, levels], at most 255, each row ascending, for accumulators low … high
    [channels] of 32 bits; None where some channel's thresholds do not lie on one."""
    thresholds = thresholds.astype(np.int64)
    always = (thresholds <= low[:, None]).sum(axis=1)
    reached = (thresholds <= high[:, None]).sum(axis=1)
    rows, last = np.arange(len(thresholds)), thresholds.shape[1] - 1
    decided = reached > always
    bottom = np.where(decided, thresholds[rows, np.minimum(always, last)] - 1, low)
    top = np.where(decided, thresholds[rows, np.maximum(reached - 1, 0)], low)
    if int((top - bottom).max()) >= 2**31:
        return None
    # from here on relative to `bottom`: products of 31 bits by 31 bits, and their differences, fit 64
    constraints = _constraints(thresholds - bottom[:, None], np.zeros_like(bottom), top - bottom)
    for shift in (NARROW_SHIFT, _widest_shift(constraints)):
        slope = _best_slope(constraints, shift)
        lowest, highest = constraints.bounds(slope, shift)
        if np.all(lowest <= highest):
            return Line(bottom, top, slope, lowest + (highest - lowest) // 2 - bottom * slope, shift)
    return None


def _widest_shift(constraints: _Constraints) -> int:
    """The shift that leaves slopes the most of their 31 bits."""
    deciding = constraints.lower & constraints.upper
    count = deciding.sum(axis=1)
    first = np.where(deciding, constraints.at_least, np.iinfo(np.int64).max).min(axis=1)
    last = np.where(deciding, constraints.at_least, np.iinfo(np.int64).min).max(axis=1)
    several = count > 1
    if not several.any():
        return NARROW_SHIFT + 1
    step = np.maximum(last - first, 1)[several] / (count - 1)[several]
    return int(np.clip(np.floor(30 + np.log2(step.min())), NARROW_SHIFT + 1, _LARGEST_SHIFT))


def _best_slope(constraints: _Constraints, shift: int) -> Integers:
    """The slope of each channel that leaves its offset the most room."""

    def room(slope: Integers) -> Integers:
        lowest, highest = constraints.bounds(slope, shift)
        return highest - lowest

    channels = len(constraints.at_least)
    first, last = np.zeros(channels, np.int64), np.full(channels, _LARGEST_SLOPE, np.int64)
    while np.any(first < last):
        middle = (first + last) // 2
        rising = room(middle + 1) > room(middle)
        first = np.where(rising, middle + 1, first)
        last = np.where(rising, last, middle)
    return first
