"""A choice between two words by a condition on others.

Where they differ by a function of the condition's own sum, the difference is added where it is to be. Where the one is
taken at an end of a sum alone, each term is at an end of its own range there: what is made of these variables is a
constant, and may be the same in both.
"""

from __future__ import annotations

import numpy as np

from .forms import add, as_form, by_rows, mul, sub
from .products_and_maxima import chosen_maximum
from .values import WORD, Base, Column, Form, Space, Table, Value

__all__ = ["select"]


def select(space: Space, condition: Value, a: Value, b: Value) -> Value | None:
    """a where a condition is not 0, else b."""
    if isinstance(condition, int):
        return a if condition else b
    rows = by_rows(space, "select", (condition, a, b))
    if rows is not None:
        return rows
    difference = sub(space, a, b)
    if isinstance(difference, int):
        return _scaled(space, condition, difference, b)
    base = condition.base if isinstance(condition, Table) else space.base_of(as_form(space, condition))
    chosen = None if base is None else space.over(condition, base)
    if base is None or chosen is None or not isinstance(difference, Form):
        return None
    pinned = _pinned_choice(space, base, chosen, a, b, difference)
    if pinned is not None:
        return pinned
    larger = chosen_maximum(space, base, chosen, a, b)
    if larger is not None:
        return larger
    part = by_rows(space, "select", (condition, difference, 0))
    return None if part is None else add(space, b, part)


def _scaled(space: Space, condition: Value, difference: int, b: Value) -> Value | None:
    """b + condition · difference, of a condition that is 0 or 1."""
    form = as_form(space, condition)
    whole = space.fit(form, 32)
    if whole is None or whole.high > 1:
        return None
    return add(space, b, mul(space, form, difference) or 0)


def _pinned_choice(space: Space, base: Base, chosen: Column, a: Value, b: Value, difference: Form) -> Value | None:
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
