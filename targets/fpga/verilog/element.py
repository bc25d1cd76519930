"""The hardware type of an integer, and the narrowest one for a range."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Element", "signed_bits", "type_of"]


@dataclass(frozen=True)
class Element:
    """The hardware type of one integer: `bits` wide, two's complement if `signed`."""

    bits: int
    signed: bool

    @property
    def low(self) -> int:
        """Smallest integer it holds."""
        return -(2 ** (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest integer it holds."""
        return (1 << (self.bits - self.signed)) - 1


def signed_bits(low: int, high: int) -> int:
    """Width of the smallest two's complement number that holds low … high; at least 1."""
    return max(((-low - 1) if low < 0 else 0).bit_length(), max(high, 0).bit_length()) + 1


def type_of(low: int, high: int) -> Element:
    """The narrowest type that holds low … high: unsigned if nothing is negative."""
    if low < 0:
        return Element(signed_bits(low, high), True)
    return Element(max(high.bit_length(), 1), False)
