"""Each entry of a table beside the function itself, in decimal numbers that are rounded far behind any tie.

`decimal` rounds exp correctly at the precision that is asked for, and a float32 scale times an integer is a decimal
number without loss. exp of a rational number but 0 is transcendental, so no entry is a tie, and an interval of a few
units in the 60th digit tells on which side of one it lies.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

__all__ = ["HAS_EXACT_ENTRIES", "exact_entry"]

HAS_EXACT_ENTRIES = ("LOGISTIC", "TANH")
"""Functions whose entries can be told, by name."""

_EXACTLY, _DIGITS = Context(prec=400), Context(prec=60)
_HALF = Fraction(1, 2)


def _exponential(x: Decimal) -> tuple[Fraction, Fraction]:
    """Numbers that exp(x) lies between."""
    found = Fraction(_DIGITS.exp(x))
    if x == 0:
        return found, found
    slack = found / 10**58
    return found - slack, found + slack


def _function(name: str, x: Decimal) -> tuple[Fraction, Fraction]:
    """Numbers that the function lies between; both rise with the exponential."""
    if name == "LOGISTIC":
        low, high = (1 / (1 + each) for each in reversed(_exponential(-x)))
        return low, high
    low, high = (1 - 2 / (each + 1) for each in _exponential(2 * x))
    return low, high


def exact_entry(name: str, value: int, source_scale: float, target_scale: float) -> int | None:
    """The nearest integer to f(value · source_scale) / target_scale, ties away from zero; None if it cannot be told.

    name : LOGISTIC or TANH. value : the input less its zero point. The scales are float32 numbers.
    """
    x = _EXACTLY.multiply(Decimal(value), Decimal(source_scale))
    if abs(x) > 10**4:
        x = Decimal(10**4).copy_sign(x)  # far behind where any 8-bit output changes
    ends = [end / Fraction(target_scale) for end in _function(name, x)]
    found = {(abs(end) + _HALF).__floor__() * (-1 if end < 0 else 1) for end in ends}
    return found.pop() if len(found) == 1 else None
