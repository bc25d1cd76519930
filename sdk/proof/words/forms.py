"""Sums and multiples of words, exact modulo 2^32 whatever wraps, and functions of one sum row by row."""

from __future__ import annotations

from .concrete import COLUMN_OPERATIONS
from .values import WORD, Form, Space, Table, Unknown, Value, centred, form

__all__ = ["add", "as_form", "by_rows", "mul", "plus", "sub"]


def by_rows(space: Space, name: str, operands: tuple[Value, ...]) -> Value | None:
    """All rows of one sum of which every operand is a function."""
    for value in operands:
        base = value.base if isinstance(value, Table) else space.base_of(value) if isinstance(value, Form) else None
        if base is None:
            continue
        columns = [space.over(operand, base) for operand in operands]
        known = [column for column in columns if column is not None]
        if len(known) == len(columns):
            return space.table(base, COLUMN_OPERATIONS[name](*known))
    return None


def as_form(space: Space, value: Value) -> Form:
    """The same as a form; a variable stands for the entries of a table."""
    if isinstance(value, int):
        return Form({}, value)
    if isinstance(value, Table):
        return space.standing_for(value)
    assert isinstance(value, Form)
    return value


def plus(a: Form, b: Form, factor: int = 1) -> int | Form:
    """a + factor · b."""
    terms = dict(a.terms)
    for v, c in b.terms.items():
        total = centred(terms.get(v, 0) + factor * c)
        if total:
            terms[v] = total
        else:
            terms.pop(v, None)
    constant = (a.constant + factor * b.constant) % WORD
    return Form(terms, constant) if terms else constant


def add(space: Space, a: Value, b: Value) -> Value:
    """a + b modulo 2^32."""
    for value in (a, b):
        if isinstance(value, Unknown):
            return value
    one, other = as_form(space, a), as_form(space, b)
    return plus(one, other) if len(one.terms) >= len(other.terms) else plus(other, one)


def sub(space: Space, a: Value, b: Value) -> Value:
    """a − b modulo 2^32."""
    return plus(as_form(space, a), as_form(space, b), -1)


def mul(space: Space, a: Value, b: Value) -> Value | None:
    """A form times a constant modulo 2^32; None of two forms."""
    factor, other = (a, b) if isinstance(a, int) else (b, a)
    if not isinstance(factor, int) or not isinstance(other, Form):
        return None
    signed = centred(factor)
    return form({v: c * signed for v, c in other.terms.items()}, other.constant * signed)
