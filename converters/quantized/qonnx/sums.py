"""The sum of two tensors of different scales, quantized: two tables, their sum, and thresholds, exact for every pair.

Of integers p and q of at most 8 bits the quantizer's level is known for each pair, in rational arithmetic. Tables
P[p] and Q[q] hold the two terms in a step so fine that thresholds on P[p] + Q[q] give each pair its level. That they do
is looked at for all pairs, not assumed.

Levels at equal distances, as all quantizers but a few have, are 2^s steps apart for the least s that serves: a pair's
level is then (P[p] + Q[q]) >> s, clipped, and whoever computes it needs no comparison. Entries serve if for all pairs

    low[p, q] ≤ P[p] + Q[q] ≤ high[p, q]

where the ends are the thresholds on both sides of the pair's level. The nearest integers of the terms solve it almost:
what they miss is mended by moving the entries of one table, then those of the other, into what the pairs leave each.
Other levels get the thresholds that lie between the sums, in a step that keeps the pairs of each level apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.clamped_line import ClampedLine

from .staircases import Reach

__all__ = ["exact_sum", "reach_before"]

Int64 = npt.NDArray[np.int64]
_STEPS = (14, 18, 22, 26, 29)
"""Bits of the sum that are tried: the fewest that keep all pairs apart."""
_SHIFTS = range(3, 19)
_ROUNDS = 24
_WIDEST = 2**29
_FREE = 2**40
"""Further than any sum: of a pair that its end does not bound."""


def exact_sum(
    first: Sequence[Fraction], second: Sequence[Fraction], reaches: Sequence[Reach], where: str
) -> tuple[Int64, Int64, Int64]:
    """Tables of both terms, int64 [entries] each, and thresholds int64 [levels] on their sum.

    Parameters
    ----------
    first, second : the terms' values for each of their integers.
    reaches : where the sum reaches each level above the lowest.

    Raises InputError naming `where` if no step of 29 bits keeps the pairs apart.
    """
    level = _levels(first, second, reaches)
    shifted = _by_shift(first, second, reaches, level)
    if shifted is not None:
        return shifted
    ends = [abs(value) for terms in (first, second) for value in (min(terms), max(terms))]
    widest = max(ends) or Fraction(1)
    for bits in _STEPS:
        step = widest / 2**bits
        one, other = (np.array([round(value / step) for value in terms], np.int64) for terms in (first, second))
        sums = one[:, None] + other[None, :]
        order = np.argsort(sums, axis=None, kind="stable")
        total, reached = sums.ravel()[order], level.ravel()[order]
        # A level must never fall with the sum, nor differ between pairs of one sum.
        same = total[1:] == total[:-1]
        if np.all(np.diff(reached) >= 0) and not np.any(same & (np.diff(reached) != 0)):
            found = np.searchsorted(reached, np.arange(1, len(reaches) + 1))
            never = int(total[-1]) + 1
            return one, other, np.append(total, never)[found]
    raise InputError(
        where, "adds two tensors whose scales no sum of 32 bits holds exactly", "Give both tensors one scale"
    )


def _by_shift(
    first: Sequence[Fraction], second: Sequence[Fraction], reaches: Sequence[Reach], level: Int64
) -> tuple[Int64, Int64, Int64] | None:
    """Tables and thresholds (k − k0) · 2^s, where the levels that pairs reach lie at equal distances; None if they do
    not, or if no s serves."""
    least, most = int(level.min()), int(level.max())
    points = [point for point, _ in reaches[least:most]]
    distances = {after - before for before, after in pairwise(points)}
    if len(distances) != 1 or 0 in distances:
        return None
    (distance,) = distances
    start = points[0] - distance
    for shift in _SHIFTS:
        step = distance / 2**shift
        one = np.array([round(value / step) for value in first], np.int64)
        other = np.array([round((value - start) / step) for value in second], np.int64)
        if max(int(np.abs(one).max()), int(np.abs(other).max())) >= _WIDEST:
            return None
        low = np.where(level > least, (level - least) << shift, -_FREE)
        high = np.where(level < most, ((level - least + 1) << shift) - 1, _FREE)
        if _mended(one, other, low, high):
            ends = int(one.min() + other.min()), int(one.max() + other.max())
            row = [ends[0]] * least + [(k + 1) << shift for k in range(most - least)]
            return one, other, np.array(row + [ends[1] + 1] * (len(reaches) - most), np.int64)
    return None


def _mended(one: Int64, other: Int64, low: Int64, high: Int64) -> bool:
    """Whether low ≤ one[p] + other[q] ≤ high for all pairs, after entries of both were moved."""
    for _ in range(_ROUNDS):
        sums = one[:, None] + other
        if np.all((low <= sums) & (sums <= high)):
            return True
        for table, against, axis in ((one, other[None, :], 1), (other, one[:, None], 0)):
            least, most = (low - against).max(axis=axis), (high - against).min(axis=axis)
            table[:] = np.where(least > most, (least + most) >> 1, np.clip(table, least, np.maximum(least, most)))
    return False


def _levels(first: Sequence[Fraction], second: Sequence[Fraction], reaches: Sequence[Reach]) -> Int64:
    """How many levels each pair reaches, int64 [first, second]: all numbers as integers over one denominator."""
    points = [point for point, _ in reaches]
    denominator = math.lcm(*(value.denominator for value in (*first, *second, *points)))
    rows, columns, ends = ([int(value * denominator) for value in values] for values in (first, second, points))
    order = sorted(range(len(columns)), key=columns.__getitem__)
    level = np.zeros((len(rows), len(columns)), np.int64)
    for row, p in enumerate(rows):
        at = 0
        for column in order:
            total = p + columns[column]
            while at < len(ends) and (total >= ends[at] if reaches[at][1] else total > ends[at]):
                at += 1
            level[row, column] = at
    return level


def reach_before(response: ClampedLine, reach: Reach, low: Fraction, high: Fraction) -> Reach:
    """Where `response`, of a positive slope, has got as far as `reach`: of numbers of low … high."""
    point, inclusive = reach
    if response.low is not None and (response.low >= point if inclusive else response.low > point):
        return low, True
    if response.high is not None and not (response.high >= point if inclusive else response.high > point):
        return high, False
    return (point - response.offset) / response.slope, inclusive
