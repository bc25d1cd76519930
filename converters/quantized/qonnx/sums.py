"""The sum of two tensors of different scales, quantized: two tables, their sum, and thresholds, exact for every pair.

Of integers p and q of at most 8 bits the quantizer's level is known for each pair, in rational arithmetic. Tables
P[p] and Q[q] hold the two terms in a step so fine that P[p] + Q[q] keeps the pairs' levels apart; thresholds on the sum
then give each pair its level. That this holds is looked at for all pairs, not assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .staircases import Reach

__all__ = ["exact_sum"]

_STEPS = (14, 18, 22, 26, 29)
"""Bits of the sum that are tried: the fewest that keep all pairs apart."""


def exact_sum(
    first: Sequence[Fraction], second: Sequence[Fraction], reaches: Sequence[Reach], where: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Tables of both terms, int64 [entries] each, and thresholds int64 [levels] on their sum.

    Parameters
    ----------
    first, second : the terms' values for each of their integers.
    reaches : where the sum reaches each level above the lowest.

    Raises InputError naming `where` if no step of 29 bits keeps the pairs apart.
    """
    level = _levels(first, second, reaches)
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


def _levels(first: Sequence[Fraction], second: Sequence[Fraction], reaches: Sequence[Reach]) -> npt.NDArray[np.int64]:
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
