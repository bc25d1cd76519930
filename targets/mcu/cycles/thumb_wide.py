"""The 32-bit Thumb instructions (Armv7-M Architecture Reference Manual, A5.3), as far as their time is concerned."""

from __future__ import annotations

from .operation import FLAGS, Kind, Operation, bit

__all__ = ["wide"]

_SP, _LR, _PC = 13, 14, 15
_LOGICAL_WITHOUT_FIRST = (2, 3)
_COMPARING = (0, 4, 8, 13)


def wide(first: int, second: int) -> Operation:
    """The instruction of these two halves."""
    rn, rt = first & 15, second >> 12
    if first & 0xFE40 == 0xE800:
        return _multiple(first, second)
    if first & 0xFE40 == 0xE840:
        return _dual(first, second)
    if first & 0xFE00 == 0xEA00:
        return _shifted_register(first, second)
    if first & 0xEC00 == 0xEC00:
        return _coprocessor(first, second)
    if first & 0xF800 == 0xF000:
        return _branch(first, second) if second & 0x8000 else _immediate(first, second)
    if first & 0xFE00 == 0xF800:
        return _single(first, second, rn, rt)
    if first & 0xFF00 == 0xFA00:
        return _registers(first, second)
    if first & 0xFF80 == 0xFB00:
        return _multiply(first, second)
    if first & 0xFF80 == 0xFB80:
        return _long_multiply(first, second)
    return Operation(4, Kind.OTHER)


def _multiple(first: int, second: int) -> Operation:
    base, writeback = bit(first & 15), bool(first >> 5 & 1)
    registers = second & 0xFFFF
    changed = base if writeback else 0
    if first >> 4 & 1:
        returns = bool(registers >> _PC & 1)
        writes = (registers & ~bit(_PC)) | changed
        return Operation(
            4, Kind.LOAD_MULTIPLE, base, writes, addresses=base, moves=registers.bit_count(), jumps=returns
        )
    return Operation(4, Kind.STORE_MULTIPLE, base | registers, changed, addresses=base, moves=registers.bit_count())


def _dual(first: int, second: int) -> Operation:
    base, rt, rt2 = bit(first & 15), second >> 12, second >> 8 & 15
    if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:
        return Operation(4, Kind.JUMP, base | bit(second & 15), addresses=base, moves=1, jumps=True)
    if not first & 0x0120:
        return Operation(4, Kind.LOAD if first >> 4 & 1 else Kind.STORE, base, bit(rt), addresses=base, moves=1)
    changed = base if first >> 5 & 1 else 0
    if first >> 4 & 1:
        return Operation(4, Kind.LOAD_MULTIPLE, base, bit(rt, rt2) | changed, addresses=base, moves=2)
    return Operation(4, Kind.STORE_MULTIPLE, base | bit(rt, rt2), changed, addresses=base, moves=2)


def _shifted_register(first: int, second: int) -> Operation:
    which, rn, rd, rm = first >> 5 & 15, first & 15, second >> 8 & 15, second & 15
    amount, shift = (second >> 12 & 7) << 2 | second >> 6 & 3, second >> 4 & 3
    sets = bool(first >> 4 & 1)
    reads = bit(rm) if which in _LOGICAL_WITHOUT_FIRST and rn == _PC else bit(rn, rm)
    writes = (bit(FLAGS) if sets else 0) | (0 if sets and rd == _PC else bit(rd))
    shifted = bit(rm) if shift or amount else 0
    if which == 6:
        return Operation(4, Kind.SIMD, bit(rn, rm), bit(rd), shifted=shifted)
    if which in (10, 11):
        reads |= bit(FLAGS)
    return Operation(4, Kind.ARITHMETIC, reads, writes, shifted=shifted)


def _immediate(first: int, second: int) -> Operation:
    rn, rd = first & 15, second >> 8 & 15
    if first >> 9 & 1:
        which = first >> 4 & 31
        if which in (4, 12):
            return Operation(4, Kind.ARITHMETIC, bit(rd) if which == 12 else 0, bit(rd))
        fields = which >= 16
        reads = bit(rn) | (bit(rd) if which == 22 else 0)
        return Operation(4, Kind.ARITHMETIC, reads, bit(rd), shifted=bit(rn) if fields else 0)
    which, sets = first >> 5 & 15, bool(first >> 4 & 1)
    reads = 0 if which in _LOGICAL_WITHOUT_FIRST and rn == _PC else bit(rn)
    compares = sets and rd == _PC and which in _COMPARING
    if which in (10, 11):
        reads |= bit(FLAGS)
    return Operation(4, Kind.ARITHMETIC, reads, (bit(FLAGS) if sets else 0) | (0 if compares else bit(rd)))


def _branch(first: int, second: int) -> Operation:
    which = second & 0x5000
    backward = bool(first >> 10 & 1)
    if which == 0x5000:
        return Operation(4, Kind.CALL, 0, bit(_LR), jumps=True)
    if which == 0x1000:
        return Operation(4, Kind.BRANCH, jumps=True, backward=backward)
    if which == 0 and first >> 6 & 14 != 14:
        return Operation(4, Kind.BRANCH, bit(FLAGS), jumps=True, backward=backward)
    return Operation(4, Kind.OTHER)


def _single(first: int, second: int, rn: int, rt: int) -> Operation:
    base = bit(rn) if rn != _PC else 0
    indexed = rn != _PC and not first & 0x80 and not second & 0x0800
    address = base | (bit(second & 15) if indexed else 0)
    changed = base if not first & 0x80 and second & 0x0900 == 0x0900 else 0
    word = first >> 5 & 3 == 2
    if not first >> 4 & 1:
        return Operation(4, Kind.STORE, address | bit(rt), changed, addresses=address, moves=1, indexed=indexed)
    if rt == _PC and not word:
        return Operation(4, Kind.OTHER)
    writes = changed | (0 if rt == _PC else bit(rt))
    kind = Kind.LOAD if word else Kind.LOAD_NARROW
    return Operation(4, kind, address, writes, addresses=address, moves=1, indexed=indexed, jumps=rt == _PC)


def _registers(first: int, second: int) -> Operation:
    rn, rd, rm = first & 15, second >> 8 & 15, second & 15
    if not first & 0x80:
        if second & 0x80:  # extend, and add
            rotated = bool(second >> 4 & 3)
            reads = bit(rm) if rn == _PC else bit(rn, rm)
            return Operation(4, Kind.SIMD, reads, bit(rd), shifted=bit(rm) if rotated else 0)
        return Operation(4, Kind.ARITHMETIC, bit(rn, rm), bit(rd), shifted=bit(rn))
    return Operation(4, Kind.SIMD, bit(rn, rm), bit(rd) | bit(FLAGS))


def _multiply(first: int, second: int) -> Operation:
    rn, ra, rd, rm = first & 15, second >> 12, second >> 8 & 15, second & 15
    if ra == _PC:
        return Operation(4, Kind.MULTIPLY, bit(rn, rm), bit(rd))
    return Operation(4, Kind.ACCUMULATE, bit(rn, rm, ra), bit(rd), accumulates=bit(ra) & ~bit(rn, rm))


def _long_multiply(first: int, second: int) -> Operation:
    which, rn, low, high, rm = first >> 4 & 7, first & 15, second >> 12, second >> 8 & 15, second & 15
    if which in (1, 3):
        return Operation(4, Kind.DIVIDE, bit(rn, rm), bit(high))
    if which in (0, 2):
        return Operation(4, Kind.LONG_MULTIPLY, bit(rn, rm), bit(low, high))
    sums = bit(low, high)
    return Operation(4, Kind.LONG_ACCUMULATE, bit(rn, rm) | sums, sums, accumulates=sums & ~bit(rn, rm))


def _coprocessor(first: int, second: int) -> Operation:
    """Floating point: loads and stores by their words, else one instruction of its own unit."""
    base, writeback = bit(first & 15), bool(first >> 5 & 1)
    if first & 0xFE00 != 0xEC00 or first & 0x01E0 == 0x0040:
        return Operation(4, Kind.ARITHMETIC)
    single = first & 0x0120 == 0x0100
    moves = 1 if single else (second & 0xFF)
    changed = base if writeback else 0
    if first >> 4 & 1:
        kind = Kind.LOAD if single else Kind.LOAD_MULTIPLE
        return Operation(4, kind, base, changed, addresses=base, moves=moves)
    return Operation(4, Kind.STORE if single else Kind.STORE_MULTIPLE, base, changed, addresses=base, moves=moves)
