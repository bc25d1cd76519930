"""The 16-bit Thumb instructions (Armv7-M Architecture Reference Manual, A5.2), as far as their time is concerned."""

from __future__ import annotations

from .operation import FLAGS, Kind, Operation, bit

__all__ = ["narrow"]

_SP, _LR, _PC = 13, 14, 15
_NO_RESULT = (8, 10, 11)
_ONE_OPERAND = (9, 15)
_SHIFTS = (2, 3, 4, 7)


def narrow(half: int) -> Operation:
    """The instruction of these 16 bits."""
    low, middle, high, eight = half & 7, half >> 3 & 7, half >> 6 & 7, half >> 8 & 7
    top = half >> 11
    if top < 3:
        shifted = bit(middle) if half >> 6 & 31 else 0
        return Operation(2, Kind.ARITHMETIC, bit(middle), bit(low, FLAGS), shifted=shifted)
    if top == 3:
        reads = bit(middle) if half >> 10 & 1 else bit(middle, high)
        return Operation(2, Kind.ARITHMETIC, reads, bit(low, FLAGS))
    if top < 8:
        reads = 0 if top == 4 else bit(eight)
        return Operation(2, Kind.ARITHMETIC, reads, bit(FLAGS) if top == 5 else bit(eight, FLAGS))
    if half >> 10 == 0b010000:
        return _register(half >> 6 & 15, low, middle)
    if half >> 10 == 0b010001:
        return _high_register(half >> 8 & 3, low | half >> 4 & 8, half >> 3 & 15)
    if top == 9:
        return Operation(2, Kind.LOAD, 0, bit(eight), moves=1)
    if top < 12:
        return _memory(half >> 9 & 7, low, bit(middle, high), indexed=True)
    if top < 18:
        loads, narrow_access = bool(top & 1), top >= 14
        address = bit(middle)
        if loads:
            kind = Kind.LOAD_NARROW if narrow_access else Kind.LOAD
            return Operation(2, kind, address, bit(low), addresses=address, moves=1)
        return Operation(2, Kind.STORE, address | bit(low), addresses=address, moves=1)
    if top in (18, 19):
        if top == 19:
            return Operation(2, Kind.LOAD, bit(_SP), bit(eight), addresses=bit(_SP), moves=1)
        return Operation(2, Kind.STORE, bit(_SP, eight), addresses=bit(_SP), moves=1)
    if top in (20, 21):
        return Operation(2, Kind.ARITHMETIC, bit(_SP) if top == 21 else 0, bit(eight))
    if top in (22, 23):
        return _miscellaneous(half)
    if top in (24, 25):
        registers, base = half & 0xFF, bit(eight)
        if top == 25:
            written = registers | (0 if registers & base else base)
            return Operation(2, Kind.LOAD_MULTIPLE, base, written, addresses=base, moves=registers.bit_count())
        return Operation(2, Kind.STORE_MULTIPLE, base | registers, base, addresses=base, moves=registers.bit_count())
    if top in (26, 27):
        if half >> 8 & 15 >= 14:
            return Operation(2, Kind.OTHER, jumps=True)
        return Operation(2, Kind.BRANCH, bit(FLAGS), jumps=True, backward=bool(half >> 7 & 1))
    return Operation(2, Kind.BRANCH, jumps=True, backward=bool(half >> 10 & 1))


def _register(which: int, low: int, middle: int) -> Operation:
    reads = bit(middle) if which in _ONE_OPERAND else bit(low, middle)
    writes = bit(FLAGS) if which in _NO_RESULT else bit(low, FLAGS)
    if which == 13:
        return Operation(2, Kind.MULTIPLY, reads, writes)
    return Operation(2, Kind.ARITHMETIC, reads, writes, shifted=bit(low) if which in _SHIFTS else 0)


def _high_register(which: int, rd: int, rm: int) -> Operation:
    if which == 3:
        link = bool(rd & 8)
        return Operation(2, Kind.CALL if link else Kind.JUMP, bit(rm), bit(_LR) if link else 0, jumps=True)
    if which == 1:
        return Operation(2, Kind.ARITHMETIC, bit(rd, rm), bit(FLAGS))
    reads = bit(rm) if which == 2 else bit(rd, rm)
    if rd == _PC:
        return Operation(2, Kind.JUMP, reads, jumps=True)
    return Operation(2, Kind.ARITHMETIC, reads, bit(rd))


def _memory(which: int, rt: int, address: int, indexed: bool) -> Operation:
    if which < 3:
        return Operation(2, Kind.STORE, address | bit(rt), addresses=address, moves=1, indexed=indexed)
    kind = Kind.LOAD if which == 4 else Kind.LOAD_NARROW
    return Operation(2, kind, address, bit(rt), addresses=address, moves=1, indexed=indexed)


def _miscellaneous(half: int) -> Operation:
    low, middle = half & 7, half >> 3 & 7
    if half & 0xF500 == 0xB100:
        return Operation(2, Kind.BRANCH, bit(low), jumps=True)
    if half & 0xFF00 in (0xB200, 0xBA00):
        return Operation(2, Kind.SIMD if half & 0x800 else Kind.ARITHMETIC, bit(middle), bit(low))
    registers = half & 0xFF
    if half & 0xFE00 == 0xB400:
        registers |= (half >> 8 & 1) << _LR
        return Operation(
            2, Kind.STORE_MULTIPLE, bit(_SP) | registers, bit(_SP), addresses=bit(_SP), moves=registers.bit_count()
        )
    if half & 0xFE00 == 0xBC00:
        returns = bool(half >> 8 & 1)
        moves = registers.bit_count() + returns
        writes = bit(_SP) | registers
        return Operation(2, Kind.LOAD_MULTIPLE, bit(_SP), writes, addresses=bit(_SP), moves=moves, jumps=returns)
    if half & 0xFF00 == 0xB000:
        return Operation(2, Kind.ARITHMETIC, bit(_SP), bit(_SP))
    return Operation(2, Kind.OTHER)
