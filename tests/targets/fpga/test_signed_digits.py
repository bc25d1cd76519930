"""Signed digits are the number itself, in few terms."""

from __future__ import annotations

from itertools import pairwise

from edgeml.targets.fpga.signed_digits import signed_digits


def test_signed_digits_are_the_number_and_never_adjacent() -> None:
    for number in range(-3000, 3000):
        digits = signed_digits(number)
        assert sum(sign << place for place, sign in digits) == number
        assert {abs(sign) for _, sign in digits} <= {1}
        assert all(b - a > 1 for (a, _), (b, _) in pairwise(digits))
