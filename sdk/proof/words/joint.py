"""Functions of integers that are in no sum together: all values of a few at once, and sums of functions of one each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .products_and_maxima import integers_of
from .values import WORD, Base, Column, Form, Space, Table, Unknown, Value, centred, form

__all__ = ["apart", "assignments", "by_variable", "evaluated", "from_zero_up", "inputs_of", "joint_rows"]

_MOST_JOINT = 1 << 8
"""Rows for which operands of different sums are brought together."""
Columns = Mapping[int, npt.NDArray[np.int64]]


def assignments(space: Space, variables: Collection[int], most: int) -> tuple[Base, Columns] | None:
    """All values of variables: a sum that is another number for each, and each variable by it. None for too many."""
    rows = 1
    terms = []
    for v in sorted(variables):
        terms.append((v, rows))
        rows *= space.high[v] - space.low[v] + 1
        if rows > most:
            return None
    number = np.arange(rows)
    columns = {v: number // weight % (space.high[v] - space.low[v] + 1) + space.low[v] for v, weight in terms}
    low, high = space.span(dict(terms))
    return Base(tuple(terms), low, high), columns


def _variables(space: Space, value: Value) -> set[int]:
    if isinstance(value, Table):
        return {v for v, _ in value.base.terms}
    found: set[int] = set()
    if isinstance(value, Form):
        for v in value.terms:
            found |= _variables(space, space.made_of[v]) if v in space.made_of else {v}
            if len(found) > _MOST_JOINT:
                break
    return found


def evaluated(space: Space, value: Value, given: Columns) -> Column | None:
    """A value where variables have these values; None where it is of others, too."""
    if isinstance(value, int):
        return np.array([value], np.uint32)
    if isinstance(value, Unknown):
        return None
    if isinstance(value, Table):
        columns = [_integers(space, v, given) for v, _ in value.base.terms]
        known = [column for column in columns if column is not None]
        if len(known) < len(columns):
            return None
        place = sum(c * column for (_, c), column in zip(value.base.terms, known, strict=True)) - value.base.low
        return np.asarray(value.column[place], np.uint32)
    total = np.array([value.constant], np.int64)
    for v, c in value.terms.items():
        column = integers_of(space, v, given)
        if column is None:
            made = evaluated(space, space.made_of[v], given) if v in space.made_of else None
            if made is None:
                return None
            column = made.astype(np.int64)
        total = total + c * column & 0xFFFF_FFFF
    return total.astype(np.uint32)


def _integers(space: Space, v: int, given: Columns) -> npt.NDArray[np.int64] | None:
    """A variable where others have these values: its own, or those of the entries that it stands for."""
    if (column := integers_of(space, v, given)) is not None:
        return column
    made = evaluated(space, space.made_of[v], given) if v in space.made_of else None
    if made is None:
        return None
    return made.astype(np.int32).astype(np.int64) if space.low[v] < 0 else made.astype(np.int64)


def inputs_of(space: Space, value: Value) -> set[int]:
    """The variables that a word is a function of, none of which stands for a table's entries."""
    terms = value.terms if isinstance(value, Form) else dict(value.base.terms) if isinstance(value, Table) else {}
    found: set[int] = set()
    for v in terms:
        found |= inputs_of(space, space.made_of[v]) if v in space.made_of else {v}
    return found


def joint_rows(space: Space, operation: Callable[..., Column], operands: Sequence[Value]) -> Value | None:
    """An operation for all values of the few variables that its operands are functions of."""
    variables: set[int] = set()
    for value in operands:
        variables |= _variables(space, value)
    found = assignments(space, variables, _MOST_JOINT) if variables else None
    if found is None:
        return None
    base, given = found
    columns = [evaluated(space, value, given) for value in operands]
    known = [column for column in columns if column is not None]
    if len(known) < len(columns):
        return None
    rows = base.high - base.low + 1
    return space.looked_up(base, np.ascontiguousarray(np.broadcast_to(operation(*known), (rows,))))


def apart(space: Space, value: Value, cuts: Sequence[int]) -> Form | None:
    """The same sum, with entries of tables as sums of parts none of which lies on both sides of a bit of `cuts`.

    Sums of packed entries can be cut into their fields then. None where nothing is to be taken apart, or all is a
    function of one sum.
    """
    if not isinstance(value, Form):
        return None
    bases = [space.made_of[v].base for v in value.terms if v in space.made_of]
    if not bases or (len(bases) == len(value.terms) and all(base == bases[0] for base in bases)):
        return None
    terms: dict[int, int] = {}
    constant, parted = value.constant, False
    for v, c in value.terms.items():
        first = (c & -c).bit_length() - 1
        top = max(space.high[v].bit_length(), (-space.low[v]).bit_length())
        places = [cut - first for cut in cuts if v in space.made_of and 0 < cut - first < top]
        if not places:
            terms[v] = terms.get(v, 0) + c
            continue
        parted = True
        table = space.made_of[v]
        column = table.column.astype(np.int64)
        column = np.where(column >= WORD >> 1, column - WORD, column) if space.low[v] < 0 else column
        for low, high in pairwise([0, *places, 64]):
            part = column >> low if high == 64 else (column >> low) & ((1 << (high - low)) - 1)
            made = space.table(table.base, (part & (WORD - 1)).astype(np.uint32))
            made = space.standing_for(made) if isinstance(made, Table) else made
            if isinstance(made, Form):
                for u, n in made.terms.items():
                    terms[u] = terms.get(u, 0) + n * (c << low)
            constant += (made.constant if isinstance(made, Form) else made if isinstance(made, int) else 0) * (c << low)
    found = form(terms, constant) if parted else None
    return found if isinstance(found, Form) else None


def from_zero_up(space: Space, value: Value) -> Value:
    """The same word modulo 2^32, where entries of tables that stand for numbers of both signs are those from 0 up."""
    if not isinstance(value, Form):
        return value
    terms = dict(value.terms)
    for v, c in value.terms.items():
        if v in space.made_of and space.low[v] < 0:
            table, places = space.made_of[v], 32 - ((c & -c).bit_length() - 1)
            made = space.table(table.base, table.column & np.uint32((1 << places) - 1))
            if isinstance(made, Table):
                del terms[v]
                for u, n in space.standing_for(made).terms.items():
                    terms[u] = terms.get(u, 0) + n * c
    return form(terms, value.constant)


def by_variable(space: Space, value: Value) -> tuple[int, dict[int, npt.NDArray[np.int64]]] | None:
    """A constant, and of each variable the words that its values add, columns over them; None where a value is not
    such a sum."""
    if isinstance(value, int):
        return value, {}
    if isinstance(value, Unknown):
        return None
    value = space.standing_for(value) if isinstance(value, Table) else value
    columns: dict[int, npt.NDArray[np.int64]] = {}
    for v, c in value.terms.items():
        own = Base(((v, 1),), space.low[v], space.high[v])
        table = space.made_of.get(v)
        base = own if table is None else table.base
        if len(base.terms) > 1:
            return None
        ((variable, _),) = base.terms
        column = own.sums() if table is None else table.column.astype(np.int64)
        columns[variable] = (columns.get(variable, 0) + centred(c) * column) % WORD
    return value.constant, columns
