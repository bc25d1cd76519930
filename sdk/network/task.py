"""What a network is for, and how its last integers become an answer.

classes : one output per class; the answer is the index of the largest, the lowest index of equals.
binary  : one output; the answer is 1 if the integer lies above `threshold`, else 0.
values  : regression; the outputs themselves are the answer, as real numbers.
"""

from __future__ import annotations

import math
from fractions import Fraction

from ..errors import NetworkError
from .arrays import INT32_HIGH, INT32_LOW

__all__ = ["BINARY", "CLASSES", "TASKS", "VALUES", "integer_threshold", "label_count", "task_of"]

CLASSES, BINARY, VALUES = TASKS = ("classes", "binary", "values")


def task_of(stated: str, outputs: int, labels: int) -> str:
    """The task of a network: the one that is stated; else by its `outputs` and its number of `labels`.

    Several outputs are classes; one output is binary if it has two labels, and a value otherwise.
    """
    if stated:
        return stated
    if outputs > 1:
        return CLASSES
    return BINARY if labels == 2 else VALUES


def label_count(task: str, outputs: int) -> int:
    """How many labels a network has that has any: [negative, positive] of a binary one, else one per output."""
    return 2 if task == BINARY else outputs


def integer_threshold(real: float, scale: float, zero_point: int) -> int:
    """The integer t with y > t exactly if (y − zero_point) · scale > real: zero_point + ⌊real / scale⌋.

    In rational arithmetic, so that no rounding moves a decision. Above 32 bits the largest int32, which no output
    passes. Raises NetworkError if `real` is not finite, or t lies below 32 bits.
    """
    if not math.isfinite(real):
        raise NetworkError("output, threshold", f"must be finite, found {real}")
    exact = zero_point + math.floor(Fraction(real) / Fraction(scale))
    if exact < INT32_LOW:
        raise NetworkError("output, threshold", f"{real} in steps of {scale:.3g} lies below 32 bits")
    return min(exact, INT32_HIGH)
