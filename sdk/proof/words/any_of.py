"""Whether any of several numbers is not 0: how kernels pass over what is silent.

Of x1 | x2 | … it is not known what it is, but where it is 0: each number is, and so is their sum, none being negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .values import WORD, Space, Table, Unknown, Value

__all__ = ["AnyOf", "any_of", "is_zero"]


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
