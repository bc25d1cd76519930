"""Whether any of several numbers is not 0, and choices by that: how kernels pass over what is silent.

Of x1 | x2 | … it is not known what it is, but where it is 0: each number is, and so is their sum, none being negative.
Where a sum is at an end of its range each of its terms is at one of its own: there every word that is made of
these variables alone is a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .values import WORD, Base, Column, Form, Space, Table, Unknown, Value

__all__ = ["AnyOf", "any_of", "is_zero", "pinned_choice"]


@dataclass(frozen=True, eq=False)
class AnyOf(Unknown):
    """A word that is 0 just where Σ terms · v + constant is, an exact integer ≥ 0.

    ones : the bits that can be 1.
    """

    terms: Mapping[int, int] = field(default_factory=dict)
    constant: int = 0
    ones: int = WORD - 1


def any_of(space: Space, a: Value, b: Value, ones: int) -> AnyOf | None:
    """a | b of numbers of which it is known where they are 0; None else. ones : the bits that can be 1."""
    terms: dict[int, int] = {}
    constant = 0
    for value in (a, b):
        found = _at_zero(space, value)
        if found is None:
            return None
        for v, c in found[0].items():
            terms[v] = terms.get(v, 0) + c
        constant += found[1]
    terms = {v: c for v, c in terms.items() if c}
    return AnyOf("bits of several numbers together", {}, terms, constant, ones)


def _at_zero(space: Space, value: Value) -> tuple[Mapping[int, int], int] | None:
    """An exact integer ≥ 0 that is 0 just where a word is."""
    if isinstance(value, int):
        return {}, value
    if isinstance(value, AnyOf):
        return value.terms, value.constant
    if isinstance(value, Unknown):
        return None
    whole = space.fit(space.standing_for(value) if isinstance(value, Table) else value, 32)
    return None if whole is None else (whole.terms, whole.constant)


def is_zero(space: Space, value: AnyOf) -> Value | None:
    """Whether it is 0: a function of the sum; None where that has too many values."""
    if not value.terms:
        return int(value.constant == 0)
    base = space.direction(value.terms)
    if base is None:
        return None
    variable, weight = base.terms[0]
    factor = value.terms[variable] // weight
    return space.table(base, (factor * base.sums() + value.constant == 0).astype(np.uint32))


def pinned_choice(space: Space, base: Base, chosen: Column, a: Value, b: Value, difference: Form) -> Value | None:
    """One of two words, where the other is taken at one end of a sum alone and both are the same there; else None.

    chosen : 0 where b is taken, for each value of the sum. difference : a − b.
    """
    for rows, kept in ((np.flatnonzero(chosen), b), (np.flatnonzero(chosen == 0), a)):
        if len(rows) == 1 and rows[0] in (0, len(chosen) - 1):
            at = _pinned(space, base, bool(rows[0]))
            if difference.terms.keys() <= at.keys():
                left = sum(c * at[v] for v, c in difference.terms.items()) + difference.constant
                if left % WORD == 0:
                    return kept
    return None


def _pinned(space: Space, base: Base, highest: bool) -> dict[int, int]:
    """What variables are where a sum is at an end of its range; of a table's entry also those of its row, if it is in
    one row alone and that is an end too."""
    found: dict[int, int] = {}
    waiting = [(base, highest)]
    while waiting:
        here, high = waiting.pop()
        for v, c in here.terms:
            found[v] = space.high[v] if (c > 0) == high else space.low[v]
            if v in space.made_of:
                table = space.made_of[v]
                rows = np.flatnonzero(table.column == np.uint32(found[v] % WORD))
                if len(rows) == 1 and rows[0] in (0, len(table.column) - 1):
                    waiting.append((table.base, bool(rows[0])))
    return found
