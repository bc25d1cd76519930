"""The flags of Arm: kept as what they were made of, and found where a condition asks for them.

`("adc", a, b, c)`: of a + b + c, c a carry of 0 or 1; a − b is a + ~b + 1. `("result", r, carry)`: of a result alone;
the carry is None where it stays what it was. GE is in another place, four operands of 0 or 1.
"""

from __future__ import annotations

from typing import Any

from edgeml.proof.words.dataflow import Operand

from .machine import Machine, Stopped

__all__ = ["carry_of", "condition_of", "ge_of", "set_added", "set_ge", "set_result", "set_subtracted"]

_ALL = 0xFFFF_FFFF


def _parts(m: Machine) -> tuple[Any, Any]:
    return m.flags if len(m.flags) == 2 else (None, None)


def set_added(m: Machine, a: Operand, b: Operand, carry: Operand = 0) -> None:
    """N, Z, C, V of a + b + carry."""
    m.flags = (("adc", a, b, carry), _parts(m)[1])


def set_subtracted(m: Machine, a: Operand, b: Operand) -> None:
    """N, Z, C, V of a − b."""
    m.flags = (("sub", a, b), _parts(m)[1])


def set_result(m: Machine, result: Operand, carry: Operand | None = None) -> None:
    """N, Z of a result; C where the instruction says it."""
    m.flags = (("result", result, carry), _parts(m)[1])


def set_ge(m: Machine, ge: tuple[Operand, ...]) -> None:
    """The four GE flags."""
    m.flags = (_parts(m)[0], ge)


def ge_of(m: Machine) -> tuple[Operand, ...]:
    """The four GE flags."""
    ge = _parts(m)[1]
    if ge is None:
        raise Stopped(f"at {m.at:#010x} flags are used that nobody set")
    return tuple(ge)


def carry_of(m: Machine) -> Operand:
    """The carry flag."""
    return condition_of(m, 2)


def condition_of(m: Machine, code: int) -> Operand:
    """Whether a condition (0 EQ … 14 AL) holds, 0 or 1."""
    if code == 14:
        return 1
    holds = _even(m, code & ~1)
    return m.flow.make("xor", holds, 1) if code & 1 else holds


def _even(m: Machine, code: int) -> Operand:
    """EQ, CS, MI, VS, HI, GE or GT."""
    made = _parts(m)[0]
    if made is None:
        raise Stopped(f"at {m.at:#010x} flags are used that depend on inputs in an unknown way")
    make = m.flow.make
    if made[0] == "adc" and made[3] == 0 and isinstance(made[2], int) and made[2] not in (0, 1 << 31):
        made = ("sub", made[1], -made[2] & _ALL)  # a + constant is a − (− constant), flags included
    if made[0] == "sub":
        found = _of_difference(m, code, made[1], made[2])
        if found is not None:
            return found
        made = ("adc", made[1], make("xor", made[2], _ALL), 1)
    if made[0] == "result":
        return _of_result(m, code, made[1], made[2])
    return _of_sum(m, code, *made[1:])


def _of_difference(m: Machine, code: int, a: Operand, b: Operand) -> Operand | None:
    make = m.flow.make
    if code == 0:
        return make("eq", a, b)
    if code == 2:
        return make("xor", make("ult", a, b), 1)
    if code == 4:
        return make("shr", make("sub", a, b), 31)
    if code == 8:
        return make("ult", b, a)
    if code == 10:
        return make("xor", make("slt", a, b), 1)
    if code == 6:  # without overflow a − b is greater than a where b is negative
        return make("xor", make("slt", a, make("sub", a, b)), make("slt", b, 0))
    return make("slt", b, a) if code == 12 else None


def _of_result(m: Machine, code: int, result: Operand, carry: Operand | None) -> Operand:
    if code == 0:
        return m.flow.make("eq", result, 0)
    if code == 4:
        return m.flow.make("shr", result, 31)
    if code == 2 and carry is not None:
        return carry
    raise Stopped(f"at {m.at:#010x} a flag is used that the proof did not keep")


def _of_sum(m: Machine, code: int, a: Operand, b: Operand, carry: Operand) -> Operand:
    make = m.flow.make
    first = make("add", a, b)
    result = make("add", first, carry)
    zero, negative = make("eq", result, 0), make("shr", result, 31)
    if code == 0:
        return zero
    if code == 4:
        return negative
    if code == 6 and carry == 0:  # without overflow a + b is less than a where b is negative
        return make("xor", make("slt", result, a), make("slt", b, 0))
    carried = make("or", make("ult", first, a), make("ult", result, first))
    if code == 2:
        return carried
    if code == 8:
        return make("and", carried, make("xor", zero, 1))
    over = make("shr", make("and", make("xor", a, result), make("xor", b, result)), 31)
    if code == 6:
        return over
    not_less = make("eq", negative, over)
    return not_less if code == 10 else make("and", not_less, make("xor", zero, 1))
