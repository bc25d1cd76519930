"""Thumb instructions of 32 bits that multiply, extend, or compute on halves and bytes of a word."""

from __future__ import annotations

from collections.abc import Callable

from edgeml.proof.words.dataflow import Operand

from .machine import Machine
from .thumb_flags import ge_of, set_ge, set_result
from .thumb_instruction import PC, Unknown
from .thumb_narrow import by_register, extended, shifted

__all__ = ["multiply", "register_operation"]


def _half(m: Machine, word: Operand, top: int) -> Operand:
    """A half of a word, with its sign."""
    return m.flow.make("sar", word if top else m.flow.make("shl", word, 16), 16)


def _differences(m: Machine, a: Operand, b: Operand) -> Operand:
    """The sum of the distances of the bytes of two words."""
    total: Operand = 0
    make = m.flow.make
    for place in range(0, 32, 8):
        one, other = (_part(m, word, place, 8, sign=False) for word in (a, b))
        distance = make("select", make("ult", one, other), make("sub", other, one), make("sub", one, other))
        total = make("add", total, distance)
    return total


def multiply(first: int, second: int) -> Callable[[Machine], None]:
    """MUL, MLA, MLS, USADA8, SMLAD, SMUAD, SMLABB …, SMULBB …, SMMUL, SMMLA, SMMLS, SMULL, UMULL, SMLAL, UMLAL."""
    if first >> 7 & 1:
        return _long(first, second)
    kind, rn, ra, rd, how, rm = (
        first >> 4 & 7,
        first & 15,
        second >> 12,
        second >> 8 & 15,
        second >> 4 & 15,
        second & 15,
    )

    def run(m: Machine) -> None:
        make, a, b = m.flow.make, m.registers[rn], m.registers[rm]
        if kind == 0:
            product = make("mul", a, b)
            if ra != PC:
                product = make("add" if how == 0 else "sub", m.registers[ra], product)
            m.registers[rd] = product
            return
        if kind in (5, 6):
            m.registers[rd] = _upper_word(m, 0 if ra == PC else m.registers[ra], a, b, kind == 6, how == 1)
            return
        if kind == 7:
            product = _differences(m, a, b)
        elif kind == 1:
            product = make("mul", _half(m, a, how >> 1), _half(m, b, how & 1))
        else:
            b = shifted(m, b, 3, 16)[0] if how else b
            low, high = (make("mul", _half(m, a, top), _half(m, b, top)) for top in (0, 1))
            product = make("add" if kind == 2 else "sub", low, high)
        m.registers[rd] = product if ra == PC else make("add", m.registers[ra], product)

    known = {0: (0, 1), 1: (0, 1, 2, 3), 2: (0, 1), 4: (0, 1), 5: (0, 1), 6: (0, 1), 7: (0,)}
    if kind not in known or how not in known[kind] or ((kind, how) in _NEED_A_SUM and ra == PC):
        raise Unknown
    return run


_NEED_A_SUM = ((0, 1), (6, 0), (6, 1))
"""MLS and SMMLS."""


def _upper_word(m: Machine, total: Operand, a: Operand, b: Operand, taken: bool, rounds: bool) -> Operand:
    """The upper word of total * 2^32 + a * b, or - a * b where it is `taken`, with 2^31 added where it `rounds`."""
    make, lower = m.flow.make, m.flow.make("mul", a, b)
    upper = make("mulhs", a, b)
    if not taken:
        upper = make("add", upper, make("shr", lower, 31)) if rounds else upper
        return make("add", total, upper)
    return make("sub", make("sub", total, upper), make("ult", 1 << 31 if rounds else 0, lower))


def _long(first: int, second: int) -> Callable[[Machine], None]:
    kind, rn, low, high, how, rm = (
        first >> 4 & 7,
        first & 15,
        second >> 12,
        second >> 8 & 15,
        second >> 4 & 15,
        second & 15,
    )
    if kind not in (0, 2, 4, 6) or how:
        raise Unknown
    signed = kind in (0, 4)

    def run(m: Machine) -> None:
        make, a, b = m.flow.make, m.registers[rn], m.registers[rm]
        lower, upper = make("mul", a, b), make("mulhs" if signed else "mulhu", a, b)
        if kind >= 4:
            total = make("add", m.registers[low], lower)
            upper = make("add", make("add", m.registers[high], upper), make("ult", total, lower))
            lower = total
        m.registers[low], m.registers[high] = lower, upper

    return run


_EXTENDED = {0: (16, True), 1: (16, False), 4: (8, True), 5: (8, False)}


def register_operation(first: int, second: int) -> Callable[[Machine], None]:
    """Shifts by registers, extensions, parallel addition and subtraction, SEL."""
    kind, rn, rd, how, rm = first >> 4 & 15, first & 15, second >> 8 & 15, second >> 4 & 15, second & 15
    if how == 0 and kind < 8:

        def shift(m: Machine) -> None:
            m.registers[rd] = by_register(m, m.registers[rn], m.registers[rm], kind >> 1)
            if kind & 1:
                set_result(m, m.registers[rd])

        return shift
    if how >= 8 and kind in _EXTENDED:
        return _extension(kind, rn, rd, how & 3, rm)
    if how >= 8 and kind in (2, 3):
        return _two_extensions(kind == 2, rn, rd, how & 3, rm)
    if kind >= 8 and how < 8:
        return _parallel(kind & 7, how, rn, rd, rm)
    if kind == 11 and how == 8:
        return lambda m: _leading_zeros(m, rd, rm)
    if kind == 10 and how == 8:
        return lambda m: _selected(m, rn, rd, rm)
    raise Unknown


def _leading_zeros(m: Machine, rd: int, rm: int) -> None:
    """CLZ: how many powers of two are greater."""
    total: Operand = 0
    for bit in range(32):
        total = m.flow.make("add", total, m.flow.make("ult", m.registers[rm], 1 << bit))
    m.registers[rd] = total


def _extension(kind: int, rn: int, rd: int, turns: int, rm: int) -> Callable[[Machine], None]:
    bits, sign = _EXTENDED[kind]

    def run(m: Machine) -> None:
        make, word = m.flow.make, m.registers[rm]
        if turns and 8 * turns + bits <= 32 and not sign:
            word = make("shr", word, 8 * turns)
        elif turns:
            word = shifted(m, word, 3, 8 * turns)[0]
        value = extended(m, word, bits, sign)
        m.registers[rd] = value if rn == PC else make("add", m.registers[rn], value)

    return run


def _two_extensions(sign: bool, rn: int, rd: int, turns: int, rm: int) -> Callable[[Machine], None]:
    """UXTB16, UXTAB16, SXTB16, SXTAB16."""

    def run(m: Machine) -> None:
        make, word = m.flow.make, m.registers[rm]
        parts = []
        for k in (0, 1):
            place = (8 * turns + 16 * k) % 32
            byte = make("and", make("shr", word, place) if place else word, 255)
            parts.append(extended(m, byte, 8, True) if sign else byte)
        if rn != PC:
            other = m.registers[rn]
            parts = [make("add", _half(m, other, k), part) for k, part in enumerate(parts)]
        low, high = (make("and", part, 0xFFFF) for part in parts)
        m.registers[rd] = make("or", low, make("shl", high, 16))

    return run


def _selected(m: Machine, rn: int, rd: int, rm: int) -> None:
    make, total = m.flow.make, 0
    a, b, ge = m.registers[rn], m.registers[rm], ge_of(m)
    if ge[0] is ge[1] and ge[2] is ge[3] and ge[0] is not ge[2]:  # by halves
        low = make("select", ge[0], make("and", a, 0xFFFF), make("and", b, 0xFFFF))
        high = make("select", ge[2], make("shr", a, 16), make("shr", b, 16))
        m.registers[rd] = make("or", low, make("shl", high, 16))
        return
    result: Operand = total
    for k in range(4):
        one, other = (make("and", make("shr", word, 8 * k) if k else word, 255) for word in (a, b))
        result = make("or", result, make("shl", make("select", ge[k], one, other), 8 * k))
    m.registers[rd] = result


def _parallel(kind: int, how: int, rn: int, rd: int, rm: int) -> Callable[[Machine], None]:
    """ADD8, ADD16, SUB8, SUB16: signed and unsigned with GE, unsigned saturating."""
    if kind not in (0, 1, 4, 5) or how not in (0, 4, 5):
        raise Unknown
    bits, subtract, sign, saturates = (16 if kind & 1 else 8), kind >= 4, how == 0, how == 5

    def run(m: Machine) -> None:
        make, result = m.flow.make, 0
        total: Operand = result
        flags: list[Operand] = []
        for place in range(0, 32, bits):
            a, b = (_part(m, m.registers[register], place, bits, sign) for register in (rn, rm))
            value = make("sub" if subtract else "add", a, b)
            if sign:
                ge = make("xor", make("slt", value, 0), 1)
            else:
                ge = make("xor", make("ult", a, b), 1) if subtract else make("ult", (1 << bits) - 1, value)
            if saturates:
                value = make("select", ge, *((value, 0) if subtract else ((1 << bits) - 1, value)))
            flags += [ge] * (bits // 8)
            total = make("or", total, make("shl", make("and", value, (1 << bits) - 1), place))
        m.registers[rd] = total
        if not saturates:
            set_ge(m, tuple(flags))

    return run


def _part(m: Machine, word: Operand, place: int, bits: int, sign: bool) -> Operand:
    above = 32 - bits - place
    if sign:
        return m.flow.make("sar", m.flow.make("shl", word, above) if above else word, 32 - bits)
    value = m.flow.make("shr", word, place) if place else word
    return m.flow.make("and", value, (1 << bits) - 1)
