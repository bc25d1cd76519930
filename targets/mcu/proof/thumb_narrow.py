"""Thumb instructions of 16 bits."""

from __future__ import annotations

from collections.abc import Callable

from edgeml.proof.words.dataflow import Operand

from .machine import END, Machine, Stopped, Trapped
from .thumb_flags import carry_of, condition_of, set_added, set_result, set_subtracted
from .thumb_instruction import LR, PC, SP, Decoded, Unknown, following, get, put

__all__ = ["load_many", "narrow", "shifted", "signed", "store_many"]

_ALL = 0xFFFF_FFFF


def signed(number: int, bits: int) -> int:
    """A number of so many bits in two's complement."""
    return number - (1 << bits) if number >> (bits - 1) & 1 else number


def extended(m: Machine, value: Operand, bits: int, sign: bool) -> Operand:
    """The lowest bits of a word, with zeros or the sign above."""
    if sign:
        return m.flow.make("sar", m.flow.make("shl", value, 32 - bits), 32 - bits)
    return m.flow.make("and", value, (1 << bits) - 1)


def shifted(m: Machine, value: Operand, kind: int, count: int) -> tuple[Operand, Operand | None]:
    """A word shifted by a constant of the instruction (LSL, LSR, ASR, ROR), and the last bit out of it."""
    make = m.flow.make
    if kind == 3 and count:
        turned = make("or", make("shr", value, count), make("shl", value, 32 - count))
        return turned, make("shr", turned, 31)
    if kind == 3:
        raise Stopped(f"at {m.at:#010x} stands RRX, an instruction that the proof does not know")
    if kind == 0:
        if count == 0:
            return value, None
        return make("shl", value, count), make("and", make("shr", value, 32 - count), 1)
    count = count or 32
    out = make("and", make("shr", value, count - 1), 1)
    return make("shr" if kind == 1 else "sar", value, min(count, 31) if kind == 2 else count), out


def narrow(address: int, half: int, within: bool) -> Decoded:
    """The instruction; `within` an IT block it sets no flags. Raises Unknown."""
    top = half >> 12
    if top < 2:
        run = _shift_or_add(half, within)
    elif top < 4:
        run = _immediate(half, within)
    elif half >> 10 == 0b010000:
        run = _alu(half, within)
    elif half >> 10 == 0b010001:
        return _high_registers(address, half)
    elif half >> 11 == 0b01001:
        place = (address + 4 & ~3) + 4 * (half & 255)
        run = _sets(half >> 8 & 7, lambda m: m.load(place, 4))
    elif top in (5, 6, 7, 8, 9):
        run = _memory(half)
    elif top == 10:
        base, offset = (SP if half >> 11 & 1 else PC), 4 * (half & 255)
        run = _sets(half >> 8 & 7, lambda m: m.flow.make("add", _aligned(m, base), offset))
    elif top == 11:
        return _miscellaneous(address, half)
    elif top == 12:
        base, listed = half >> 8 & 7, _listed(half & 255)
        loads = half >> 11 & 1
        write_back = not loads or base not in listed
        run = (load_many if loads else store_many)(base, listed, write_back=write_back)
    else:
        return _branch(address, half)
    return following(address, 2, run)


def _aligned(m: Machine, base: int) -> Operand:
    return (m.at + 4) & ~3 if base == PC else m.registers[base]


def _sets(register: int, value: Callable[[Machine], Operand]) -> Callable[[Machine], None]:
    return lambda m: put(m, register, value(m))


def _listed(mask: int) -> list[int]:
    return [k for k in range(16) if mask >> k & 1]


def _shift_or_add(half: int, within: bool) -> Callable[[Machine], None]:
    kind, rd, rn = half >> 11 & 3, half & 7, half >> 3 & 7
    if kind < 3:

        def shift(m: Machine) -> None:
            result, carry = shifted(m, m.registers[rn], kind, half >> 6 & 31)
            m.registers[rd] = result
            if not within:
                set_result(m, result, carry)

        return shift
    third = half >> 6 & 7

    def add(m: Machine) -> None:
        b = third if half >> 10 & 1 else m.registers[third]
        _add_or_subtract(m, rd, m.registers[rn], b, bool(half >> 9 & 1), not within)

    return add


def _add_or_subtract(m: Machine, rd: int, a: Operand, b: Operand, subtract: bool, flags: bool) -> None:
    m.registers[rd] = m.flow.make("sub" if subtract else "add", a, b)
    if flags:
        (set_subtracted if subtract else set_added)(m, a, b)


def _immediate(half: int, within: bool) -> Callable[[Machine], None]:
    kind, rd, number = half >> 11 & 3, half >> 8 & 7, half & 255
    if kind == 1:
        return lambda m: set_subtracted(m, m.registers[rd], number)
    if kind == 0:

        def move(m: Machine) -> None:
            m.registers[rd] = number
            if not within:
                set_result(m, number)

        return move
    return lambda m: _add_or_subtract(m, rd, m.registers[rd], number, kind == 3, not within)


_LOGIC = {0: "and", 1: "xor", 12: "or", 13: "mul"}


def _alu(half: int, within: bool) -> Callable[[Machine], None]:
    kind, rd, rm = half >> 6 & 15, half & 7, half >> 3 & 7

    def run(m: Machine) -> None:
        a, b, make = m.registers[rd], m.registers[rm], m.flow.make
        if kind in (8, 10, 11):  # TST, CMP, CMN
            if kind == 8:
                set_result(m, make("and", a, b))
            else:
                (set_subtracted if kind == 10 else set_added)(m, a, b)
            return
        carry: Operand | None = None
        if kind in (5, 6):
            _with_carry(m, rd, a, b if kind == 5 else make("xor", b, _ALL), not within)
            return
        if kind == 9:  # RSB from 0
            _add_or_subtract(m, rd, 0, b, True, not within)
            return
        if kind in _LOGIC:
            result = make(_LOGIC[kind], a, b)
        elif kind in (14, 15):
            inverted = make("xor", b, _ALL)
            result = make("and", a, inverted) if kind == 14 else inverted
        else:
            result = by_register(m, a, b, {2: 0, 3: 1, 4: 2, 7: 3}[kind])
        m.registers[rd] = result
        if not within:
            set_result(m, result, carry)

    return run


def by_register(m: Machine, value: Operand, count: Operand, kind: int) -> Operand:
    """A word shifted by the lowest byte of a register."""
    known = m.flow.constant(m.flow.make("and", count, 255))
    if known is None:
        name = ("shl", "shr", "sar")[kind] if kind < 3 else ""
        if not name:
            raise Stopped(f"at {m.at:#010x} it rotates by a number that depends on the inputs")
        return m.flow.make(name, value, m.flow.make("and", count, 255))
    if known == 0:
        return value
    if kind == 3:
        return shifted(m, value, 3, known % 32)[0] if known % 32 else value
    return m.flow.make(("shl", "shr", "sar")[kind], value, known)


def _with_carry(m: Machine, rd: int, a: Operand, b: Operand, flags: bool) -> None:
    carry = carry_of(m)
    m.registers[rd] = m.flow.make("add", m.flow.make("add", a, b), carry)
    if flags:
        set_added(m, a, b, carry)


def _high_registers(address: int, half: int) -> Decoded:
    kind, rm, rd = half >> 8 & 3, half >> 3 & 15, (half & 7) | (half >> 4 & 8)
    if kind == 0:
        return following(address, 2, _sets(rd, lambda m: m.flow.make("add", get(m, rd), get(m, rm))))
    if kind == 1:
        return following(address, 2, lambda m: set_subtracted(m, get(m, rd), get(m, rm)))
    if kind == 2:
        run = _sets(rd, lambda m: get(m, rm))
        return Decoded(2, (END,), run) if rd == PC else following(address, 2, run)
    if half >> 7 & 1:

        def call(m: Machine) -> None:
            target = get(m, rm)
            m.called()
            m.registers[LR] = m.pc | 1
            m.jump(target)

        return following(address, 2, call)
    return Decoded(2, (END,), lambda m: put(m, PC, get(m, rm)))


_BY_REGISTER = (
    (4, 0, False),
    (2, 0, False),
    (1, 0, False),
    (1, 1, True),
    (4, 1, False),
    (2, 1, False),
    (1, 1, False),
    (2, 1, True),
)
"""STR, STRH, STRB, LDRSB, LDR, LDRH, LDRB, LDRSH: size, whether it loads, sign."""


def _memory(half: int) -> Callable[[Machine], None]:
    rd, rn, top = half & 7, half >> 3 & 7, half >> 12
    if top == 5:
        size, loads, sign = _BY_REGISTER[half >> 9 & 7]
        rm = half >> 6 & 7
        at = lambda m: m.flow.make("add", m.registers[rn], m.registers[rm])  # noqa: E731
        return memory_access(rd, size, bool(loads), sign, at)
    loads = half >> 11 & 1
    if top == 9:
        rd, rn, size, offset = half >> 8 & 7, SP, 4, 4 * (half & 255)
    else:
        size = {6: 4, 7: 1, 8: 2}[top]
        offset = (half >> 6 & 31) * size
    return memory_access(rd, size, bool(loads), False, lambda m: m.flow.make("add", m.registers[rn], offset))


def memory_access(
    register: int, size: int, loads: bool, sign: bool, address: Callable[[Machine], Operand]
) -> Callable[[Machine], None]:
    """A load to or a store from a register."""

    def load(m: Machine) -> None:
        value = m.load(address(m), size)
        put(m, register, extended(m, value, 8 * size, True) if sign else value)

    return load if loads else lambda m: m.store(address(m), size, m.registers[register])


def load_many(base: int, listed: list[int], *, write_back: bool, down: bool = False) -> Callable[[Machine], None]:
    """Words from ascending addresses to registers; those before the base where it goes `down`."""

    def run(m: Machine) -> None:
        start = m.registers[base]
        end = m.flow.make("sub" if down else "add", start, 4 * len(listed))
        first = end if down else start
        values = [m.load(m.flow.make("add", first, 4 * k), 4) for k in range(len(listed))]
        if write_back:
            m.registers[base] = end
        for register, value in zip(listed, values, strict=True):
            put(m, register, value)

    return run


def store_many(base: int, listed: list[int], *, write_back: bool, down: bool = False) -> Callable[[Machine], None]:
    """The same, from registers."""

    def run(m: Machine) -> None:
        start = m.registers[base]
        end = m.flow.make("sub" if down else "add", start, 4 * len(listed))
        first = end if down else start
        values = [m.registers[register] for register in listed]
        if write_back:  # what lies below the stack pointer is nobody's
            m.registers[base] = end
        for k, value in enumerate(values):
            m.store(m.flow.make("add", first, 4 * k), 4, value)

    return run


def _miscellaneous(address: int, half: int) -> Decoded:
    kind = half >> 8 & 15
    if kind == 0:
        name, number = ("sub" if half >> 7 & 1 else "add"), 4 * (half & 127)
        return following(address, 2, _sets(SP, lambda m: m.flow.make(name, m.registers[SP], number)))
    if kind & 5 == 1:
        target = address + 4 + 2 * (half >> 3 & 31 | half >> 4 & 32)
        zero = not half >> 11 & 1

        def compare(m: Machine) -> None:
            condition = m.flow.make("eq", m.registers[half & 7], 0)
            m.branch(condition if zero else m.flow.make("xor", condition, 1), target)

        return Decoded(2, (address + 2, target), compare)
    if kind == 2:
        bits, sign = (8 if half >> 6 & 1 else 16), not half >> 7 & 1
        return following(address, 2, _sets(half & 7, lambda m: extended(m, m.registers[half >> 3 & 7], bits, sign)))
    if kind in (4, 5):
        listed = _listed(half & 255) + [LR] * (half >> 8 & 1)
        return following(address, 2, store_many(SP, listed, write_back=True, down=True))
    if kind in (12, 13):
        listed = _listed(half & 255) + [PC] * (half >> 8 & 1)
        run = load_many(SP, listed, write_back=True)
        return Decoded(2, (END,), run) if PC in listed else following(address, 2, run)
    if kind == 15 and half & 15:
        return Decoded(2, (address + 2,), lambda m: None, _conditions(half >> 4 & 15, half & 15))
    if kind == 15:
        return following(address, 2, lambda m: None)  # hints
    raise Unknown


def _conditions(first: int, mask: int) -> tuple[int, ...]:
    """The conditions of an IT block."""
    count = 4 - ((mask & -mask).bit_length() - 1)
    return (first, *((first & 14) | (mask >> (4 - k) & 1) for k in range(1, count)))


def trap(m: Machine) -> None:
    """UDF."""
    raise Trapped


def _branch(address: int, half: int) -> Decoded:
    if half >> 11 == 0b11100:
        target = address + 4 + signed(half & 2047, 11) * 2
        return Decoded(2, (target,), lambda m: m.jump(target))
    code = half >> 8 & 15
    if half >> 8 == 0xDE:
        return Decoded(2, (), trap)
    if half >> 12 != 13 or code >= 14:
        raise Unknown
    aim = address + 4 + signed(half & 255, 8) * 2
    return Decoded(2, (address + 2, aim), lambda m: m.branch(condition_of(m, code), aim))
