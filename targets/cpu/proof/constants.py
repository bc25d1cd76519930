"""Operations of LLVM's intermediate form on constants."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["COMPARED", "CONSTANT", "as_signed"]


def as_signed(number: int, bits: int) -> int:
    """So many bits as an integer in two's complement."""
    return number - (1 << bits) if number >> (bits - 1) else number


CONSTANT: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda a, b, bits: a + b,
    "sub": lambda a, b, bits: a - b,
    "mul": lambda a, b, bits: a * b,
    "and": lambda a, b, bits: a & b,
    "or": lambda a, b, bits: a | b,
    "xor": lambda a, b, bits: a ^ b,
    "shl": lambda a, b, bits: a << b,
    "lshr": lambda a, b, bits: a >> b,
    "ashr": lambda a, b, bits: as_signed(a, bits) >> b,
    "udiv": lambda a, b, bits: a // b,
    "urem": lambda a, b, bits: a % b,
    "sdiv": lambda a, b, bits: _toward_zero(as_signed(a, bits), as_signed(b, bits)),
    "srem": lambda a, b, bits: (
        as_signed(a, bits) - as_signed(b, bits) * _toward_zero(as_signed(a, bits), as_signed(b, bits))
    ),
}
COMPARED: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def _toward_zero(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
