"""A line that is clamped, in rational numbers: what a chain of scales, shifts and clamps is, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["ClampedLine"]


@dataclass(frozen=True)
class ClampedLine:
    """y = min(max(slope · x + offset, low), high) of one channel; None: no clamp on that side."""

    slope: Fraction
    offset: Fraction
    low: Fraction | None = None
    high: Fraction | None = None

    def scaled(self, factor: Fraction, shift: Fraction) -> ClampedLine:
        """factor · y + shift."""
        ends = [None if end is None else end * factor + shift for end in (self.low, self.high)]
        if factor < 0:
            ends.reverse()
        if factor == 0:
            ends = [shift, shift]
        return ClampedLine(self.slope * factor, self.offset * factor + shift, ends[0], ends[1])

    def clamped(self, low: float, high: float) -> ClampedLine:
        """min(max(y, low), high)."""
        below = None if low == -math.inf else Fraction(low)
        above = None if high == math.inf else Fraction(high)

        def limited(end: Fraction | None, fallback: Fraction | None) -> Fraction | None:
            if end is None:
                return fallback
            if below is not None and end < below:
                return below
            return above if above is not None and end > above else end

        return ClampedLine(self.slope, self.offset, limited(self.low, below), limited(self.high, above))

    def mirrored(self) -> ClampedLine:
        """The line of −x."""
        return ClampedLine(-self.slope, self.offset, self.low, self.high)
