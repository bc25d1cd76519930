"""Products and maxima of exact integers: each is a variable of its own, the same one wherever the same is computed.

The range of such a variable follows from those of what it is made of. Taken as independent of these it may be any
integer of its range, which contains all that can come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .values import Base, Column, Fit, Form, Space, Value, form

__all__ = ["chosen_maximum", "integers_of", "largest", "product"]

Line = tuple[tuple[tuple[int, int], ...], int]
"""An exact integer Σ c · v + constant, its terms in order."""
Integers = npt.NDArray[np.int64]


def _line(whole: Fit) -> Line:
    return tuple(sorted((v, c) for v, c in whole.terms.items() if c)), whole.constant


def _ends(space: Space, line: Line) -> tuple[int, int]:
    low, high = space.span(dict(line[0]))
    return low + line[1], high + line[1]


def product(space: Space, a: Fit, b: Fit) -> int | Form:
    """a · b: linear in each factor, so that its ends are among the products of ends."""
    one, other = sorted((_line(a), _line(b)))
    corners = [p * q for p in _ends(space, one) for q in _ends(space, other)]
    return form({_variable(space, ("product", one, other), min(corners), max(corners)): 1}, 0)


def largest(space: Space, values: Iterable[Fit]) -> int | Form:
    """The largest of some integers, without those that never are; what is a maximum already stands for its own.

    What all have in common stands beside the variable: max(x + c, y + c) is max(x, y) + c.
    """
    lines: set[Line] = set()
    for value in values:
        terms, constant = _line(value)
        known = space.joined.get(terms[0][0]) if len(terms) == 1 and terms[0][1] == 1 else None
        inner = known[1] if known is not None and known[0] == "maximum" else [(terms, 0)]
        lines |= {(own, less + constant) for own, less in inner}
    reached = max(_ends(space, line)[0] for line in lines)
    left = {line for line in lines if _ends(space, line)[1] > reached}
    if all(_ends(space, line)[0] < reached for line in left):  # one that is never the largest keeps them from below
        left.add(((), reached))
    common = min(constant for _, constant in left)
    own = tuple(sorted((terms, constant - common) for terms, constant in left))
    if len(own) == 1:
        return form(dict(own[0][0]), common)
    most = max(_ends(space, line)[1] for line in left)
    return form({_variable(space, ("maximum", own), reached - common, most - common): 1}, common)


def _variable(space: Space, key: tuple[Any, ...], low: int, high: int) -> int:
    if key not in space.variables_of:
        made = space.variable(low, high)
        space.variables_of[key] = made
        space.joined[made] = key
    return space.variables_of[key]


def chosen_maximum(space: Space, base: Base, chosen: Column, a: Value, b: Value) -> Value | None:
    """The larger of two words, where a choice takes it; None where it takes another, where they are not exact
    integers, or have a value in common: what they have besides is then a function of one sum.

    chosen : not 0 where a is taken, for each value of the sum `base`.
    """
    if not space.maxima or not isinstance(a, Form) or not isinstance(b, Form):
        return None
    one, other = space.fit(a, 32, True), space.fit(b, 32, True)
    if one is None or other is None or one.terms.keys() & other.terms.keys():
        return None
    terms = {v: d for v in one.terms.keys() | other.terms.keys() if (d := one.terms.get(v, 0) - other.terms.get(v, 0))}
    factor = terms.get(base.terms[0][0], 0)
    if abs(factor) != 1 or terms != {v: factor * c for v, c in base.terms}:
        return None
    rises = factor * base.sums() + one.constant - other.constant
    if np.any(chosen[rises > 0] == 0) or np.any(chosen[rises < 0]):
        return None
    return largest(space, (one, other))


def integers_of(space: Space, v: int, given: Mapping[int, Integers]) -> Integers | None:
    """A product or a maximum where variables have these values; None of others, and where it is of others, too."""
    if v in given:
        return given[v]
    if v not in space.joined:
        return None
    kind, *lines = space.joined[v]
    columns = []
    for terms, constant in lines[0] if kind == "maximum" else lines:
        parts = [(c, integers_of(space, u, given)) for u, c in terms]
        known = [c * part for c, part in parts if part is not None]
        if len(known) < len(parts):
            return None
        columns.append(sum(known, np.array([constant], np.int64)))
    combine = np.maximum if kind == "maximum" else np.multiply
    found = columns[0]
    for column in columns[1:]:
        found = combine(found, column)
    return found
