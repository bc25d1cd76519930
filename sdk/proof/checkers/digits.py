"""For the checker of words: sums whose variables are digits of them, as x0 + 4 x1 + 16 x2 has of 0 … 3."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["line_of_digits", "sum_of_digits"]

Column = Any
Terms = list[tuple[int, int, int, int]]
"""(weight, variable, its lowest, its highest) of a sum."""


def _digits_of(terms: Terms) -> dict[int, Column] | None:
    """By variable, what it is for each value of the sum; None where one may reach the next. For values that do not come
    it is of no matter."""
    reached = 0
    order = sorted((abs(weight), variable, low, high, weight < 0) for weight, variable, low, high in terms)
    for weight, _, low, high, _ in order:
        if weight <= reached or not 2 <= len(terms) <= 8:
            return None
        reached += weight * (high - low)
    rest, found = np.arange(reached + 1), {}
    for weight, variable, low, high, down in reversed(order):
        digit = np.minimum(rest // weight, high - low)
        rest = rest - digit * weight
        found[variable] = high - digit if down else digit + low
    return found


def line_of_digits(terms: Terms, factors: dict[int, int]) -> Column | None:
    """Σ factor · variable modulo 2^32 for each value of a sum; None where its variables are not its digits."""
    digits = _digits_of(terms)
    if digits is None or not factors.keys() <= digits.keys():
        return None
    return np.asarray(sum(digits[v] * factor for v, factor in factors.items()) & 2**32 - 1).astype(np.uint32)


def sum_of_digits(terms: Terms, column: Column) -> tuple[dict[int, int], int] | None:
    """Factors and a constant with which a column of words is Σ factor · digit + constant modulo 2^32, if it is."""
    first = int(column[0])
    factors = {v: (int(column[abs(w)]) - first) * (1 if w > 0 else -1) for w, v, _, _ in terms if abs(w) < len(column)}
    line, places = line_of_digits(terms, factors), line_of_digits(terms, {v: w for w, v, _, _ in terms})
    if line is None or places is None:
        return None
    come = places - places[0] == np.arange(len(column))
    constant = int(column[0]) - int(line[0])
    return None if (line + np.uint32(constant % 2**32) != column)[come].any() else (factors, constant)
