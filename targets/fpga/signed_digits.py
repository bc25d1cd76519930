"""Integers as few powers of two, added and subtracted: multiplication by a constant as shifted sums."""

from __future__ import annotations

__all__ = ["signed_digits"]


def signed_digits(number: int) -> list[tuple[int, int]]:
    """A number as Σ sign · 2^place with the fewest terms, no two of them at neighbouring places (the canonical signed
    digits): (place, ±1), lowest place first."""
    digits, place, turned = [], 0, -1 if number < 0 else 1
    rest = abs(number)
    while rest:
        if rest & 1:
            sign = 2 - (rest & 3)
            digits.append((place, sign * turned))
            rest -= sign
        rest >>= 1
        place += 1
    return digits
