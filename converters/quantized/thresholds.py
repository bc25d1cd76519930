"""Thresholds of integers, derived exactly: from a float64 chain to `y = base + #{k : acc ≥ T[k]}`.

Between an integer tensor and its quantizer a channel computes x = f(S·acc + B), f a composition of x·a + b and of
clamps. All parameters are float64 numbers, hence rational, and a composition of such functions is again a line that
is clamped: x = min(max(A·acc + B, low), high), here in `fractions.Fraction`.

round_half_even(x / s) reaches the level m where x/s ≥ m − ½ if m is even (a tie goes to the even neighbour, m itself)
and where x/s > m − ½ if m is odd. With A > 0 the first integer that does so is

    T = ceil(((m − ½)·s − B) / A)          m even
    T = floor(((m − ½)·s − B) / A) + 1     m odd

computed in Python integers over a common denominator. Levels that the clamps always or never reach get the ends of the
accumulator's range: thresholds lie within [acc_min, acc_max + 1], so no level is lost and none passes 32 bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.frontends.float_operators.operator import FloatOperator

from .model import Quantizer

__all__ = ["compose", "thresholds"]


def compose(
    slopes: Sequence[Fraction], offsets: Sequence[Fraction], chain: Sequence[FloatOperator]
) -> list[ClampedLine]:
    """The line of each channel over its accumulator, behind slope · acc + offset and then `chain`."""
    lines = [ClampedLine(slope, offset) for slope, offset in zip(slopes, offsets, strict=True)]
    for operator in chain:
        lines = operator.on_lines(lines)
    return lines


def thresholds(
    responses: Sequence[ClampedLine],
    quantizer: Quantizer,
    acc_low: npt.NDArray[np.int64],
    acc_high: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Thresholds [channels, levels], ascending, within [acc_low, acc_high + 1] of each channel.

    Every slope must be positive or zero: a decreasing channel is first mirrored, its weights negated.
    """
    rows = [
        _row(response, quantizer, int(low), int(high))
        for response, low, high in zip(responses, acc_low, acc_high, strict=True)
    ]
    return np.array(rows, dtype=np.int64)


def _row(response: ClampedLine, quantizer: Quantizer, acc_low: int, acc_high: int) -> list[int]:
    """Everything as integers over one denominator; `tie` is the tie below `level`."""
    assert response.slope >= 0
    half_step = Fraction(quantizer.scale) / 2
    ends = [end for end in (response.low, response.high) if end is not None]
    numbers = [half_step, response.slope, response.offset, *ends]
    denominator = math.lcm(*(number.denominator for number in numbers))
    step, slope, offset = (int(number * denominator) for number in numbers[:3])
    low = None if response.low is None else int(response.low * denominator)
    high = None if response.high is None else int(response.high * denominator)
    never = acc_high + 1
    row = []
    for level in range(quantizer.low + 1, quantizer.high + 1):
        tie = (2 * level - 1) * step
        even = level % 2 == 0
        if low is not None and (low >= tie if even else low > tie):
            row.append(acc_low)
        elif high is not None and (high < tie if even else high <= tie):
            row.append(never)
        elif slope == 0:
            row.append(acc_low if (offset >= tie if even else offset > tie) else never)
        else:
            distance = tie - offset
            reached = -(-distance // slope) if even else distance // slope + 1
            row.append(min(max(reached, acc_low), never))
    return row
