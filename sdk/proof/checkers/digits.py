"""For the checker of words: a table of a sum that is a sum of the multiples of its digits."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["sum_of_digits"]


def sum_of_digits(terms: list[tuple[int, int, int]], column: Any) -> dict[int, int]:
    """By variable, how much of each a column of words gains with it; none where it is not such a sum modulo 2^32.

    terms : (weight, variable, how far it goes) of the sum; none may reach the weight of the next. Rows that none of
    their values give are of no matter.
    """
    reached = 0
    for weight, _, most in sorted(terms):
        if weight <= reached or len(terms) > 8:
            return {}
        reached += weight * most
    rest, line, found = np.arange(len(column)), np.full(len(column), int(column[0])), {}
    for weight, variable, most in sorted(terms, reverse=True):
        digit = np.minimum(rest // weight, most)
        rest -= digit * weight
        step = (int(column[weight]) - int(column[0]) + 2**31) % 2**32 - 2**31
        line += digit * step
        if step:
            found[variable] = step
    return {} if ((line & 2**32 - 1) != column)[rest == 0].any() else found
