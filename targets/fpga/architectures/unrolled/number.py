"""What sums are made of: unsigned numbers, and their shifted, perhaps complemented terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LUTS_PER_BIT", "SMALL_INPUTS", "Number", "Term", "add_number", "term_bounds"]

SMALL_INPUTS = 6
"""Inputs of one lookup table."""
LUTS_PER_BIT = 1.05
"""Lookup tables that it takes to bring a bit less out of a compressor tree."""


@dataclass(frozen=True)
class Number:
    """An unsigned number: an input channel, or the sum of two terms a + (b << shift).

    Parameters
    ----------
    low, high : exact bounds. a, b : the parts of a sum (None for an input).
    """

    low: int
    high: int
    a: Term | None = None
    b: Term | None = None

    @property
    def bits(self) -> int:
        """Width."""
        return max(self.high.bit_length(), 1)


@dataclass(frozen=True)
class Term:
    """(the number, or its complement if `inverted`) << shift."""

    number: int
    shift: int
    inverted: bool


def term_bounds(numbers: Sequence[Number], term: Term) -> tuple[int, int]:
    """Least and largest value of a term."""
    number = numbers[term.number]
    low, high = number.low, number.high
    if term.inverted:
        full = 2**number.bits - 1
        low, high = full - high, full - low
    return low << term.shift, high << term.shift


def add_number(numbers: list[Number], first: Term, second: Term) -> int:
    """A new number, the sum of two terms of which one is not shifted; its index."""
    low_a, high_a = term_bounds(numbers, first)
    low_b, high_b = term_bounds(numbers, second)
    numbers.append(Number(low_a + low_b, high_a + high_b, first, second))
    return len(numbers) - 1
