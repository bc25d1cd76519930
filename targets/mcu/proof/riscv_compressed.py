"""The 16-bit instructions of RV32C as the 32-bit ones that they stand for (same manual, chapter 16)."""

from __future__ import annotations

__all__ = ["expanded"]


def _bits(half: int, *places: tuple[int, int]) -> int:
    """An immediate: bit `there` of the number is bit `here` of the instruction, for each (here, there)."""
    return sum((half >> here & 1) << there for here, there in places)


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> (bits - 1) & 1 else number


def _i(opcode: int, rd: int, funct3: int, rs1: int, immediate: int) -> int:
    return (immediate & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def _s(rs1: int, rs2: int, immediate: int) -> int:
    return (immediate >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (immediate & 31) << 7 | 0x23


def _r(rd: int, funct3: int, rs1: int, rs2: int, funct7: int) -> int:
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33


def _b(funct3: int, rs1: int, offset: int) -> int:
    placed = (offset >> 12 & 1) << 31 | (offset >> 5 & 63) << 25 | (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7
    return placed | rs1 << 15 | funct3 << 12 | 0x63


def _j(rd: int, offset: int) -> int:
    placed = (offset >> 20 & 1) << 31 | (offset >> 1 & 1023) << 21 | (offset >> 11 & 1) << 20
    return placed | (offset >> 12 & 255) << 12 | rd << 7 | 0x6F


_WORD_PLACES = ((6, 2), (10, 3), (11, 4), (12, 5), (5, 6))
_SIGNED_6 = ((2, 0), (3, 1), (4, 2), (5, 3), (6, 4), (12, 5))
_JUMP = ((3, 1), (4, 2), (5, 3), (11, 4), (2, 5), (7, 6), (6, 7), (9, 8), (10, 9), (8, 10), (12, 11))
_BRANCH = ((3, 1), (4, 2), (10, 3), (11, 4), (2, 5), (5, 6), (6, 7), (12, 8))


def expanded(half: int) -> int | None:
    """The 32-bit instruction; None if it is none of RV32C without floating point."""
    quadrant, funct3 = half & 3, half >> 13
    return (_memory, _arithmetic, _stack)[quadrant](half, funct3) if half and quadrant < 3 else None


def _memory(half: int, funct3: int) -> int | None:
    low, high = 8 + (half >> 2 & 7), 8 + (half >> 7 & 7)
    if funct3 == 0:
        places = ((6, 2), (5, 3), (11, 4), (12, 5), (7, 6), (8, 7), (9, 8), (10, 9))
        return _i(0x13, low, 0, 2, _bits(half, *places))
    if funct3 == 2:
        return _i(0x03, low, 2, high, _bits(half, *_WORD_PLACES))
    if funct3 == 6:
        return _s(high, low, _bits(half, *_WORD_PLACES))
    return None


def _arithmetic(half: int, funct3: int) -> int | None:
    rd, immediate = half >> 7 & 31, _signed(_bits(half, *_SIGNED_6), 6)
    high, low = 8 + (half >> 7 & 7), 8 + (half >> 2 & 7)
    if funct3 == 0:
        return _i(0x13, rd, 0, rd, immediate)
    if funct3 in (1, 5):
        return _j(1 if funct3 == 1 else 0, _signed(_bits(half, *_JUMP), 12))
    if funct3 == 2:
        return _i(0x13, rd, 0, 0, immediate)
    if funct3 == 3 and rd == 2:
        return _i(0x13, 2, 0, 2, _signed(_bits(half, (6, 4), (2, 5), (5, 6), (3, 7), (4, 8), (12, 9)), 10))
    if funct3 == 3:
        return (immediate & 0xFFFFF) << 12 | rd << 7 | 0x37
    if funct3 in (6, 7):
        return _b(funct3 - 6, high, _signed(_bits(half, *_BRANCH), 9))
    kind = half >> 10 & 3
    if kind < 2 and half >> 12 & 1:
        return None  # shifts by 32 and more, of RV64
    if kind < 2:
        return _i(0x13, high, 5, high, (immediate & 31) | kind << 10)
    if kind == 2:
        return _i(0x13, high, 7, high, immediate)
    if half >> 12 & 1:
        return None
    name = half >> 5 & 3
    return _r(high, (0, 4, 6, 7)[name], high, low, 32 if name == 0 else 0)


def _stack(half: int, funct3: int) -> int | None:
    rd, rs2 = half >> 7 & 31, half >> 2 & 31
    if funct3 == 0:
        return None if half >> 12 & 1 else _i(0x13, rd, 1, rd, rs2)
    if funct3 == 2:
        return _i(0x03, rd, 2, 2, _bits(half, (4, 2), (5, 3), (6, 4), (12, 5), (2, 6), (3, 7)))
    if funct3 == 6:
        return _s(2, rs2, _bits(half, (9, 2), (10, 3), (11, 4), (12, 5), (7, 6), (8, 7)))
    if funct3 != 4:
        return None
    link = half >> 12 & 1
    if rs2 == 0:
        return _i(0x67, link, 0, rd, 0) if rd else None
    return _r(rd, 0, rd if link else 0, rs2, 0)
