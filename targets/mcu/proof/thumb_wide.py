"""Thumb instructions of 32 bits: immediates, branches, shifted registers, loads and stores."""

from __future__ import annotations

from collections.abc import Callable

from edgeml.proof.words.dataflow import Operand

from .machine import END, Machine
from .thumb_flags import carry_of, condition_of, set_added, set_result, set_subtracted
from .thumb_instruction import LR, PC, SP, Decoded, Unknown, following, get, put
from .thumb_multiply import multiply, register_operation
from .thumb_narrow import load_many, memory_access, shifted, signed, store_many

__all__ = ["wide"]

_ALL = 0xFFFF_FFFF


def wide(address: int, first: int, second: int) -> Decoded:
    """The instruction. Raises Unknown."""
    kind = first >> 11 & 3
    if kind == 2 and second >> 15:
        return _branch(address, first, second)
    if kind == 2:
        plain = first >> 9 & 1
        return following(address, 4, (_plain_immediate if plain else _modified_immediate)(first, second))
    if kind == 1 and first >> 9 & 3 == 0:
        return _several(address, first, second)
    if kind == 1 and first >> 9 & 3 == 1:
        return following(address, 4, _shifted_register(first, second))
    if kind == 3 and first >> 9 & 3 == 0:
        return _single(address, first, second)
    if kind == 3 and first >> 8 & 7 == 2:
        return following(address, 4, register_operation(first, second))
    if kind == 3 and first >> 8 & 7 == 3:
        return following(address, 4, multiply(first, second))
    raise Unknown


def _branch(address: int, first: int, second: int) -> Decoded:
    sign = first >> 10 & 1
    j1, j2 = second >> 13 & 1, second >> 11 & 1
    if second >> 12 & 1 == 0 and second >> 14 & 1 == 0:
        code = first >> 6 & 15
        if code >= 14:
            raise Unknown
        offset = sign << 20 | j2 << 19 | j1 << 18 | (first & 63) << 12 | (second & 2047) << 1
        aim = (address + 4 + signed(offset, 21)) & _ALL
        return Decoded(4, (address + 4, aim), lambda m: m.branch(condition_of(m, code), aim))
    if second >> 12 & 1 == 0:
        raise Unknown
    i1, i2 = 1 ^ j1 ^ sign, 1 ^ j2 ^ sign
    offset = sign << 24 | i1 << 23 | i2 << 22 | (first & 1023) << 12 | (second & 2047) << 1
    target = (address + 4 + signed(offset, 25)) & _ALL
    if second >> 14 & 1 == 0:
        return Decoded(4, (target,), lambda m: m.jump(target))

    def call(m: Machine) -> None:
        m.called()
        m.registers[LR] = m.pc | 1
        m.jump(target)

    return following(address, 4, call)


def _expanded(number: int) -> tuple[int, int | None]:
    """A modified immediate of 12 bits, and the carry that it gives."""
    low, kind = number & 255, number >> 8 & 15
    if kind < 4:
        return (low, low << 16 | low, low << 24 | low << 8, low * 0x01010101)[kind], None
    turned, count = 128 | (number & 127), number >> 7
    value = (turned >> count | turned << (32 - count)) & _ALL
    return value, value >> 31


def _modified_immediate(first: int, second: int) -> Callable[[Machine], None]:
    value, carry = _expanded((first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | (second & 255))
    return _processed(first, second, lambda m: (value, carry))


def _shifted_register(first: int, second: int) -> Callable[[Machine], None]:
    count, kind, rm = second >> 10 & 28 | second >> 6 & 3, second >> 4 & 3, second & 15
    if second >> 15 or rm == PC or (rm == SP and first & 15 != PC):  # of Armv8.1-M, not of these
        raise Unknown
    if first >> 5 & 15 == 6:  # PKHBT, PKHTB
        return _packed_halves(first, second, count, kind)
    return _processed(first, second, lambda m: shifted(m, get(m, rm), kind, count))


def _packed_halves(first: int, second: int, count: int, kind: int) -> Callable[[Machine], None]:
    rn, rd, rm = first & 15, second >> 8 & 15, second & 15

    def run(m: Machine) -> None:
        moved, _ = shifted(m, m.registers[rm], kind, count)
        low, high = (m.registers[rn], moved) if kind == 0 else (moved, m.registers[rn])
        make = m.flow.make
        m.registers[rd] = make("or", make("and", low, 0xFFFF), make("and", high, 0xFFFF0000))

    return run


_LOGIC = {0: "and", 1: "and", 2: "or", 3: "or", 4: "xor"}


def _processed(
    first: int, second: int, operand: Callable[[Machine], tuple[Operand, Operand | None]]
) -> Callable[[Machine], None]:
    """AND, BIC, ORR, ORN, EOR, ADD, ADC, SBC, SUB, RSB and those of them that only compare or move."""
    kind, flags, rn, rd = first >> 5 & 15, bool(first >> 4 & 1), first & 15, second >> 8 & 15
    if kind not in (*_LOGIC, 8, 10, 11, 13, 14):
        raise Unknown

    def logic(m: Machine) -> None:
        b, carry = operand(m)
        if kind in (1, 3):
            b = m.flow.make("xor", b, _ALL)
        result = b if rn == PC and kind in (2, 3) else m.flow.make(_LOGIC[kind], m.registers[rn], b)
        if not (rd == PC and flags):
            put(m, rd, result)
        if flags:
            set_result(m, result, carry)

    def sum_(m: Machine) -> None:
        a, (b, _), make = get(m, rn), operand(m), m.flow.make
        if kind in (10, 11):
            b = b if kind == 10 else make("xor", b, _ALL)
            carry = carry_of(m)
            result = make("add", make("add", a, b), carry)
            if flags:
                set_added(m, a, b, carry)
        else:
            a, b = (b, a) if kind == 14 else (a, b)
            result = make("add" if kind == 8 else "sub", a, b)
            if flags:
                (set_added if kind == 8 else set_subtracted)(m, a, b)
        if not (rd == PC and flags):
            put(m, rd, result)

    return logic if kind in _LOGIC else sum_


def _plain_immediate(first: int, second: int) -> Callable[[Machine], None]:
    kind, rn, rd = first >> 4 & 31, first & 15, second >> 8 & 15
    number = (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | (second & 255)
    if kind in (0, 10):
        name = "add" if kind == 0 else "sub"

        def add(m: Machine) -> None:
            base = (m.at + 4) & ~3 if rn == PC else m.registers[rn]
            put(m, rd, m.flow.make(name, base, number))

        return add
    if kind == 4:
        return lambda m: put(m, rd, rn << 12 | number)
    if kind == 12:

        def high(m: Machine) -> None:
            make = m.flow.make
            put(m, rd, make("or", make("and", m.registers[rd], 0xFFFF), (rn << 12 | number) << 16))

        return high
    low, last = second >> 10 & 28 | second >> 6 & 3, second & 31
    if kind in (20, 28):
        return _extracted(rd, rn, low, last + 1, kind == 20)
    if kind == 22:
        return _inserted(rd, rn, low, last - low + 1)
    if kind in (16, 18, 24, 26):
        return _saturated(rd, rn, low, (last + 1 if kind < 20 else last), kind)
    raise Unknown


def _extracted(rd: int, rn: int, low: int, width: int, sign: bool) -> Callable[[Machine], None]:
    def run(m: Machine) -> None:
        make, value = m.flow.make, m.registers[rn]
        if sign:
            m.registers[rd] = make("sar", make("shl", value, 32 - low - width), 32 - width)
        else:
            m.registers[rd] = make("and", make("shr", value, low) if low else value, (1 << width) - 1)

    return run


def _inserted(rd: int, rn: int, low: int, width: int) -> Callable[[Machine], None]:
    mask = (1 << width) - 1

    def run(m: Machine) -> None:
        make = m.flow.make
        value = 0 if rn == PC else make("shl", make("and", m.registers[rn], mask), low)
        m.registers[rd] = make("or", make("and", m.registers[rd], ~(mask << low) & _ALL), value)

    return run


def _saturated(rd: int, rn: int, count: int, bits: int, kind: int) -> Callable[[Machine], None]:
    """SSAT to `bits` bits, USAT to `bits`."""
    sign, arithmetic = kind < 20, bool(kind & 2)
    low, high = (-(1 << (bits - 1)) & _ALL, (1 << (bits - 1)) - 1) if sign else (0, (1 << bits) - 1)

    def run(m: Machine) -> None:
        make = m.flow.make
        value, _ = shifted(m, m.registers[rn], 2 if arithmetic else 0, count)
        above = make("select", make("slt", value, low), low, value)
        m.registers[rd] = make("select", make("slt", high, above), high, above)

    return run


def _several(address: int, first: int, second: int) -> Decoded:
    """LDM, STM, LDRD, STRD, TBB, TBH."""
    base, loads, writes = first & 15, bool(first >> 4 & 1), bool(first >> 5 & 1)
    if not first >> 6 & 1:
        down = bool(first >> 8 & 1)
        if first >> 7 & 3 not in (1, 2):
            raise Unknown
        listed = [k for k in range(16) if second >> k & 1]
        run = (load_many if loads else store_many)(base, listed, write_back=writes, down=down)
        return Decoded(4, (END,), run) if loads and PC in listed else following(address, 4, run)
    if first >> 8 & 1 == 0 and not writes:
        raise Unknown  # exclusive accesses; table branches
    offset = 4 * (second & 255) * (1 if first >> 7 & 1 else -1)
    one, two = second >> 12 & 15, second >> 8 & 15
    before = bool(first >> 8 & 1)

    def dual(m: Machine) -> None:
        start = (m.at + 4) & ~3 if base == PC else m.registers[base]
        moved = m.flow.make("add", start, offset & _ALL)
        place = moved if before else start
        second_place = m.flow.make("add", place, 4)
        if loads:
            values = m.load(place, 4), m.load(second_place, 4)
        else:
            m.store(place, 4, m.registers[one])
            m.store(second_place, 4, m.registers[two])
        if writes:
            m.registers[base] = moved
        if loads:
            m.registers[one], m.registers[two] = values

    return following(address, 4, dual)


def _single(address: int, first: int, second: int) -> Decoded:
    """LDR, STR and their narrow kinds, with each way of addressing."""
    size, loads, sign = 1 << (first >> 5 & 3), bool(first >> 4 & 1), bool(first >> 8 & 1)
    rn, rt = first & 15, second >> 12 & 15
    if size == 8 or (rt == PC and size != 4):
        raise Unknown
    if rn == PC:
        place = ((address + 4) & ~3) + (second & 4095) * (1 if first >> 7 & 1 else -1)
        run = memory_access(rt, size, loads, sign, lambda m: place)
    elif first >> 7 & 1:
        run = memory_access(rt, size, loads, sign, lambda m: m.flow.make("add", m.registers[rn], second & 4095))
    elif second >> 11 & 1:
        run = _indexed(rt, rn, size, loads, sign, second)
    else:
        count, rm = second >> 4 & 3, second & 15
        run = memory_access(
            rt,
            size,
            loads,
            sign,
            lambda m: m.flow.make("add", m.registers[rn], m.flow.make("shl", m.registers[rm], count)),
        )
    return Decoded(4, (END,), run) if loads and rt == PC else following(address, 4, run)


def _indexed(rt: int, rn: int, size: int, loads: bool, sign: bool, second: int) -> Callable[[Machine], None]:
    """With an offset of 8 bits, before or after, that may stay in the base."""
    offset = (second & 255) * (1 if second >> 9 & 1 else -1) & _ALL
    before, writes = second >> 10 & 1, second >> 8 & 1

    def run(m: Machine) -> None:
        start = m.registers[rn]
        moved = m.flow.make("add", start, offset)
        if writes and not loads and rn == 13:  # what lies below the stack pointer is nobody's
            m.registers[rn] = moved
        memory_access(rt, size, loads, sign, lambda m: moved if before else start)(m)
        if writes:
            m.registers[rn] = moved

    return run
