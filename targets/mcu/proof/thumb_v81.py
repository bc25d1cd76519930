"""What Armv8.1-M adds to Thumb beside vectors: loops that count in LR, conditional selects, shifts of 64 bits."""

from __future__ import annotations

from collections.abc import Callable

from edgeml.proof.words.dataflow import Operand

from .machine import Machine, Stopped
from .thumb_flags import condition_of
from .thumb_instruction import LR, PC, SP, Decoded, Unknown, following

__all__ = ["added_in_v81"]

_ALL = 0xFFFF_FFFF


def added_in_v81(address: int, first: int, second: int) -> Decoded | None:
    """The instruction; None where it is none of these. Raises Unknown where it is one that is not known."""
    if first & 0xFF80 == 0xF000 and second & 0x9001 == 0x8001 and second >> 14 & 1:
        return _loop(address, first, second)
    if first & 0xFFF0 == 0xEA50 and second >> 14 == 2:
        run = _selected(first, second)
    elif first & 0xFFF1 == 0xEA50 and second & 0x013F in (0x010F, 0x011F, 0x012F, 0x010D, 0x012D):
        run = _long_shift(first, second)
    else:
        return None
    return following(address, 4, run)


def _loop(address: int, first: int, second: int) -> Decoded:
    """DLS, WLS and LE."""
    rn, behind = first & 15, address + 4
    offset = (second >> 1 & 1023) << 2 | (second >> 11 & 1) << 1
    if first & 0xFFF0 == 0xF040 and second == 0xE001 and rn not in (SP, PC):
        return following(address, 4, lambda m: _begin(m, rn))
    if second & 0xF001 != 0xC001:
        raise Unknown
    if first & 0xFFF0 == 0xF040 and rn not in (SP, PC):
        over = behind + offset
        return Decoded(4, (behind, over), lambda m: _begin_unless_zero(m, rn, over))
    start = behind - offset
    if first == 0xF00F:
        return Decoded(4, (behind, start), lambda m: _again(m, start))
    if first != 0xF02F:
        raise Unknown
    return Decoded(4, (start,), lambda m: m.jump(start))


def _begin(m: Machine, rn: int) -> None:
    m.registers[LR] = m.registers[rn]


def _begin_unless_zero(m: Machine, rn: int, over: int) -> None:
    count = m.flow.constant(m.registers[rn])
    if count is None:
        raise Stopped(f"at {m.at:#010x} begins a loop whose turns depend on the inputs")
    if count == 0:
        m.jump(over)
    else:
        m.registers[LR] = count


def _again(m: Machine, start: int) -> None:
    """One turn less, and back to the first instruction, unless this was the last."""
    count = m.flow.constant(m.registers[LR])
    if count is None:
        raise Stopped(f"at {m.at:#010x} ends a loop whose turns depend on the inputs")
    if count > 1:
        m.registers[LR] = count - 1
        m.jump(start)


def _selected(first: int, second: int) -> Callable[[Machine], None]:
    """CSEL, CSINC, CSINV, CSNEG: one register where a condition holds, else what is made of another."""
    rn, rm, rd = first & 15, second & 15, second >> 8 & 15
    kind, code = second >> 12 & 3, second >> 4 & 15
    if SP in (rn, rm, rd) or rd == PC or code >= 14:
        raise Unknown

    def run(m: Machine) -> None:
        make = m.flow.make
        held, other = (0 if register == PC else m.registers[register] for register in (rn, rm))
        if kind:
            other = (
                make("xor", other, _ALL) if kind == 2 else make("add", other, 1) if kind == 1 else make("sub", 0, other)
            )
        condition = condition_of(m, code)
        known = m.flow.constant(condition)
        m.registers[rd] = make("select", condition, held, other) if known is None else held if known else other

    return run


def _long_shift(first: int, second: int) -> Callable[[Machine], None]:
    """LSLL, LSRL and ASRL of two registers by a number, or by one in a register that is a constant."""
    low, high, kind = first & 14, second >> 8 & 15, second >> 4 & 3
    by_register = second & 15 == 13
    rm, number = second >> 12, (second >> 12 & 7) << 2 | (second >> 6 & 3)
    if (
        high in (SP, PC)
        or (second >> 15 and not by_register)
        or (by_register and (second & 0xC0 or rm in (SP, PC, low, high)))
    ):
        raise Unknown

    def run(m: Machine) -> None:
        count, left = number or 32, kind == 0
        if by_register:
            known = m.flow.constant(m.flow.make("and", m.registers[rm], 255))
            if known is None and kind:
                raise Stopped(f"at {m.at:#010x} it shifts by a number that depends on the inputs")
            if known is None:
                m.registers[low], m.registers[high] = _moved_by(m, low, high, m.registers[rm])
                return
            count = known - (known << 1 & 256)
            left, count = left ^ (count < 0), abs(count)
        m.registers[low], m.registers[high] = _moved(m, m.registers[low], m.registers[high], count, left, kind == 2)

    return run


def _moved_by(m: Machine, low: int, high: int, count: Operand) -> tuple[Operand, Operand]:
    """LSLL by a number that depends on inputs: to the left, or where its byte is below 0 to the right. A shift of 32
    bits by as many or more, those below 0 included, gives 0."""
    make, a, b = m.flow.make, m.registers[low], m.registers[high]
    byte = make("and", count, 255)
    moved = []
    for n, away, near in ((byte, "shl", "shr"), (make("sub", 256, byte), "shr", "shl")):
        first, second = (a, b) if away == "shl" else (b, a)
        within = make("or", make(away, second, n), make(near, first, make("sub", 32, n)))
        beyond = make(away, first, make("sub", n, 32))
        moved.append((make(away, first, n), make("or", within, beyond)))
    (low_left, high_left), (high_right, low_right) = moved
    right = make("shr", byte, 7)
    return make("select", right, low_right, low_left), make("select", right, high_right, high_left)


def _moved(m: Machine, low: Operand, high: Operand, count: int, left: bool, signed: bool) -> tuple[Operand, Operand]:
    """The halves of a word of 64 bits that is shifted."""
    make = m.flow.make
    above: Operand = make("sar", high, 31) if signed else 0
    if left:
        for _ in range(min(count, 64) // 32):
            low, high = 0, low
        count = 0 if count >= 64 else count % 32
        if count:
            high = make("or", make("shl", high, count), make("shr", low, 32 - count))
        return make("shl", low, count), high
    for _ in range(min(count, 64) // 32):
        low, high = high, above
    count = 0 if count >= 64 else count % 32
    if count:
        low = make("or", make("shr", low, count), make("shl", high, 32 - count))
    return low, make("sar" if signed else "shr", high, count)
