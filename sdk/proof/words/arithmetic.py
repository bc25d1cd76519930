"""What an operation on words makes of what is known of its operands."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .any_of import AnyOf, any_of, is_zero
from .choices import select
from .concrete import COLUMN_OPERATIONS, OPERATIONS
from .forms import add, as_form, by_rows, mul, plus, sub
from .joint import apart, from_zero_up, joint_rows
from .products_and_maxima import product
from .values import WORD, Base, Fit, Form, Space, Table, Unknown, Value, centred, form

__all__ = ["result"]

_ALL = WORD - 1


def result(space: Space, name: str, operands: tuple[Value, ...]) -> Value:
    """What `name` gives for operands of which this is known."""
    if all(isinstance(value, int) for value in operands):
        return OPERATIONS[name](*operands)
    if name == "and" and 0 in operands:
        return 0
    for value in operands:
        if isinstance(value, AnyOf):
            made = _of_any(space, name, operands)
            return Unknown(value.why) if made is None else made
        if isinstance(value, Unknown):
            return value
    if name in _CUTTING and any(isinstance(value, int) for value in operands):
        parted = _by_parts(space, name, operands)
        if parted is not None:
            return parted
    rows_first = any(isinstance(value, Table) for value in operands) or name not in _RULES
    found = by_rows(space, name, operands) if rows_first else _RULES[name](space, *operands)
    if found is None:
        found = (
            (_RULES[name](space, *operands) if name in _RULES else None)
            if rows_first
            else by_rows(space, name, operands)
        )
    if found is None and name in _CUTTING:
        found = _RULES[name](space, *(from_zero_up(space, value) for value in operands))
    if found is None:
        found = joint_rows(space, COLUMN_OPERATIONS[name], operands)
    if found is None and name in ("mul", "mulhs"):
        found = _product(space, name, *operands)
    if found is None and name == "or":
        found = _of_any(space, name, operands)
    return found if found is not None else _given_up(space, name, operands)


def _by_parts(space: Space, name: str, operands: tuple[Value, ...]) -> Value | None:
    """A cut through a sum of entries of tables, each in the parts that the cut makes."""
    number = next(value for value in operands if isinstance(value, int))
    cuts = sorted({32, *([number] if name != "and" else (bit for run in _runs(number) for bit in run))} - {0})
    parts = [apart(space, value, cuts) for value in operands]
    if not any(parts):
        return None
    taken = (value if part is None else part for value, part in zip(operands, parts, strict=True))
    return _RULES[name](space, *taken)


def _of_any(space: Space, name: str, operands: tuple[Value, ...]) -> Value | None:
    """Operations of which it is known whether any of several numbers is not 0."""
    a, b = (*operands, 0)[:2]
    if name == "or":
        return any_of(space, a, b, _ones(space, a) | _ones(space, b))
    mask, value = (a, b) if isinstance(a, int) else (b, a)
    if name == "eq" and mask == 0 and isinstance(value, AnyOf):
        return is_zero(space, value)
    if name == "and" and isinstance(mask, int) and isinstance(value, AnyOf) and value.ones & ~mask == 0:
        return value
    return None


def _given_up(space: Space, name: str, operands: tuple[Value, ...]) -> Unknown:
    """Why nothing is known, and where to look for a counterexample."""
    for value in operands:
        if isinstance(value, Form):
            low, high = space.span(value.terms)
            low, high = low + centred(value.constant), high + centred(value.constant)
            corner = space.corner(value.terms, abs(high) > abs(low))
            return Unknown(f"{name} of a sum of {len(value.terms)} values within {low} … {high}", corner)
    return Unknown(f"{name} of two functions")


def _shl(space: Space, a: Value, count: Value) -> Value | None:
    if not isinstance(count, int) or not isinstance(a, Form):
        return None
    return mul(space, a, 1 << count) if count < 32 else 0


def _shifted(space: Space, value: Value, count: Value, signed: bool) -> Value | None:
    """The quotient of a form by 2^count, rounded down."""
    if not isinstance(count, int) or not isinstance(value, Form) or count > 31:
        return None
    if count == 0:
        return value
    whole, rest = space.fit(value, 32, signed), space.fit(value, count)
    if whole is None or rest is None:
        return None
    terms = {v: (c - rest.terms.get(v, 0)) >> count for v, c in whole.terms.items()}
    terms |= {v: -c >> count for v, c in rest.terms.items() if v not in whole.terms}
    return form(terms, (whole.constant - rest.constant) >> count)


def _upper(space: Space, a: Value, b: Value) -> Value | None:
    """The upper word of a product of 64 bits, of a form and a constant: an exact integer less its lower word."""
    factor, value = (a, b) if isinstance(a, int) else (b, a)
    if not isinstance(factor, int) or not isinstance(value, Form) or (whole := space.fit(value, 32)) is None:
        return None
    terms, constant = {v: c * factor for v, c in whole.terms.items()}, whole.constant * factor
    lower = form(terms, constant)
    rest = space.fit(lower, 32) if isinstance(lower, Form) else Fit({}, lower, lower, lower)
    if rest is None:
        return None
    return form({v: (c - rest.terms.get(v, 0)) >> 32 for v, c in terms.items()}, (constant - rest.constant) >> 32)


def _product(space: Space, name: str, a: Value, b: Value) -> Value | None:
    """A product of two integers of 32 bits; its upper word where the lower one holds it: the sign."""
    one, other = _integer(space, a, True), _integer(space, b, True)
    if one is None or other is None:
        return None
    whole = product(space, one, other)
    if name == "mul":
        return whole
    low, high = space.span(whole.terms) if isinstance(whole, Form) else (0, 0)
    return result(space, "sar", (whole, 31)) if -WORD // 2 <= low <= high < WORD // 2 else None


def _runs(mask: int) -> list[tuple[int, int]]:
    """The spans of ones of a mask: first bit, and the bit behind the last."""
    found, bit = [], 0
    while mask >> bit:
        if mask >> bit & 1:
            end = bit
            while mask >> end & 1:
                end += 1
            found.append((bit, end))
            bit = end
        bit += 1
    return found


def _low_bits(space: Space, value: Form, bits: int) -> Form | None:
    """The lowest bits of a form, none of which the others reach."""
    if bits == 32:
        return value
    found = space.fit(value, bits) if bits else Fit({}, 0, 0, 0)
    return None if found is None else Form(found.terms, found.constant % WORD)


def _masked(space: Space, value: Form, mask: int) -> int | Form | None:
    if mask & _ones(space, value) == 0:
        return 0
    if ~mask & _ones(space, value) == 0:
        return value
    total: int | Form = 0
    for first, end in _runs(mask):
        upper, lower = _low_bits(space, value, end), _low_bits(space, value, first)
        if upper is None or lower is None:
            return None
        total = plus(_plus_of(total, upper), lower, -1)
    return total


def _plus_of(a: int | Form, b: Form) -> Form:
    total = plus(Form({}, a) if isinstance(a, int) else a, b)
    return Form({}, total) if isinstance(total, int) else total


def _ones(space: Space, value: Value) -> int:
    """The bits that can be 1."""
    if isinstance(value, int):
        return value
    if isinstance(value, Table):
        return int(np.bitwise_or.reduce(value.column))
    if isinstance(value, Unknown):
        return value.ones if isinstance(value, AnyOf) else _ALL
    mask = 0
    for first, end, part in _fields(space, value):
        found = space.fit(part, 32) if isinstance(part, Form) else Fit({}, part, part, part)
        high = WORD - 1 if found is None else found.high
        mask |= (((1 << high.bit_length()) - 1) & ((1 << (end - first)) - 1)) << first
    return mask


def _fields(space: Space, value: Form) -> list[tuple[int, int, int | Form]]:
    """(first bit, bit behind the last, what stands there) of the fields that a form is made of, none of which reaches
    another."""
    places = sorted({(c & -c).bit_length() - 1 for c in value.terms.values()} - {0})
    cuts = [(0, Fit({}, 0, 0, 0))]
    for place in (*places, 32):
        found = space.fit(value, place)
        if found is not None:
            cuts.append((place, found))
    fields = []
    for (first, lower), (end, upper) in pairwise(cuts):
        terms = {
            v: (upper.terms.get(v, 0) - lower.terms.get(v, 0)) >> first for v in upper.terms.keys() | lower.terms.keys()
        }
        fields.append((first, end, form(terms, (upper.constant - lower.constant) >> first)))
    first, lower = cuts[-1]
    if first < 32:  # what is above wraps: nothing is known of its highest bits
        terms = {v: (c - lower.terms.get(v, 0)) >> first for v, c in value.terms.items()}
        above = form(terms, (value.constant - lower.constant) >> first)
        fields.append((first, 32, above))
    return fields


def _by_fields(space: Space, name: str, value: Form, mask: int) -> Value | None:
    """A bitwise operation with a constant, field by field; None where there is one field alone."""
    fields = _fields(space, value)
    if len(fields) == 1:
        return None
    total: Value = 0
    for first, end, part in fields:
        size = (1 << (end - first)) - 1
        found = result(space, name, (part, mask >> first & size))
        found = result(space, "and", (found, size))
        total = add(space, total, result(space, "shl", (found, first)))
        if isinstance(total, Unknown):
            return None
    return total


def _and(space: Space, a: Value, b: Value) -> Value | None:
    mask, value = (a, b) if isinstance(a, int) else (b, a)
    if isinstance(mask, int) and isinstance(value, Form):
        found = _masked(space, value, mask)
        return found if found is not None else _by_fields(space, "and", value, mask)
    return 0 if _ones(space, a) & _ones(space, b) == 0 else None


def _counted(space: Space, value: Value) -> Value | None:
    """How many bits are 1, field by field."""
    if not isinstance(value, Form):
        return None
    total: Value = 0
    for field in _whole_fields(space, value):
        parts = [field]
        if isinstance(field, Form) and len({_table_of(space, v) for v in field.terms}) > 1:
            parts = _whole_fields(space, apart(space, field, range(1, 33)) or field)
        for part in parts:
            found = part.bit_count() if isinstance(part, int) else by_rows(space, "ones", (part,))
            if found is None:
                return None
            total = add(space, total, found)
    return total


def _table_of(space: Space, variable: int) -> Base:
    """The sum that a variable is a function of."""
    made = space.made_of.get(variable)
    return Base(((variable, 1),), space.low[variable], space.high[variable]) if made is None else made.base


def _whole_fields(space: Space, value: Form) -> list[Value]:
    """The fields of a form, each from 0 up."""
    return [result(space, "and", (part, (1 << (end - first)) - 1)) for first, end, part in _fields(space, value)]


def _or(space: Space, a: Value, b: Value) -> Value | None:
    if _ones(space, a) & _ones(space, b) == 0:
        return add(space, a, b)
    return _by_the_common(space, "or", a, b, -1)


def _xor(space: Space, a: Value, b: Value) -> Value | None:
    if _ones(space, a) & _ones(space, b) == 0:
        return add(space, a, b)
    return _by_the_common(space, "xor", a, b, -2)


def _by_the_common(space: Space, name: str, a: Value, b: Value, factor: int) -> Value | None:
    """a + b + factor · (a and b), for a constant and a form."""
    mask, value = (a, b) if isinstance(a, int) else (b, a)
    if not isinstance(mask, int) or not isinstance(value, Form):
        return None
    common = _masked(space, value, mask)
    if common is None:
        return _by_fields(space, name, value, mask)
    return plus(_plus_of(mask, value), Form({}, common) if isinstance(common, int) else common, factor)


def _less(signed: bool, space: Space, a: Value, b: Value) -> Value | None:
    """Whether a is less than b: 0, 1, or a function of their difference."""
    one, other = (_integer(space, value, signed) for value in (a, b))
    if one is None or other is None:
        return None
    terms = dict(one.terms)
    for v, c in other.terms.items():
        terms[v] = terms.get(v, 0) - c
    terms = {v: c for v, c in terms.items() if c}
    constant = one.constant - other.constant
    low, high = space.span(terms)
    if high + constant < 0:
        return 1
    if low + constant >= 0:
        return 0
    rows = by_rows(space, "slt" if signed else "ult", (a, b))
    if rows is not None:
        return rows
    base = space.direction(terms)
    if base is None:
        return None
    factor = terms[base.terms[0][0]] // base.terms[0][1]
    return space.table(base, (factor * base.sums() + constant < 0).astype(np.uint32))


def _integer(space: Space, value: Value, signed: bool) -> Fit | None:
    if isinstance(value, int):
        number = centred(value) if signed else value
        return Fit({}, number, number, number)
    return space.fit(as_form(space, value), 32, signed)


def _eq(space: Space, a: Value, b: Value) -> Value | None:
    difference = sub(space, a, b)
    if isinstance(difference, int):
        return int(difference == 0)
    if isinstance(difference, Form):
        found = space.fit(difference, 32, True)
        if found is not None and not found.low <= 0 <= found.high:
            return 0
        base = space.base_of(difference)
        column = None if base is None else space.over(difference, base)
        if base is None or column is None:
            return None
        return space.table(base, (column == 0).astype(np.uint32))
    return None


_CUTTING = ("and", "shr", "sar")
_RULES: dict[str, Callable[..., Value | None]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "mulhu": _upper,
    "shl": _shl,
    "shr": lambda space, a, b: _shifted(space, a, b, False),
    "sar": lambda space, a, b: _shifted(space, a, b, True),
    "and": _and,
    "or": _or,
    "xor": _xor,
    "ones": _counted,
    "slt": lambda space, a, b: _less(True, space, a, b),
    "ult": lambda space, a, b: _less(False, space, a, b),
    "eq": _eq,
    "select": select,
}
