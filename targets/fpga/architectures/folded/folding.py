"""What a folding is: how many elements a unit handles per clock."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Folding", "ceil_div"]


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class Folding:
    """How many elements a unit handles per clock: `simd` of each input, `pe` of its output (equal but for dense)."""

    pe: int
    simd: int
