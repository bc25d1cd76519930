"""Quantizers as staircases: at which real number each level is reached, by rounding mode, in rational numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..thresholds import Response

__all__ = ["ROUNDINGS", "Bipolar", "Comparison", "Reach", "Rounding", "Staircase", "Truncation", "first_to_reach"]

Reach: TypeAlias = tuple[Fraction, bool]
"""(X, inclusive): a level is reached where x ≥ X if inclusive, else where x > X."""


def _half(level: int, inclusive: bool) -> Reach:
    return Fraction(2 * level - 1, 2), inclusive


ROUNDINGS: Mapping[str, Callable[[int], Reach]] = {
    "ROUND": lambda level: _half(level, level % 2 == 0),
    "HALF_EVEN": lambda level: _half(level, level % 2 == 0),
    "HALF_UP": lambda level: _half(level, level > 0),
    "HALF_DOWN": lambda level: _half(level, level <= 0),
    "FLOOR": lambda level: (Fraction(level), True),
    "CEIL": lambda level: (Fraction(level - 1), False),
    "UP": lambda level: (Fraction(level - 1), False) if level > 0 else (Fraction(level), True),
    "DOWN": lambda level: (Fraction(level), True) if level > 0 else (Fraction(level - 1), False),
}
"""Rounding modes of QONNX: where a number reaches `level` when it is rounded. HALF_UP and HALF_DOWN are away from and
toward zero, as qonnx computes them; UP and DOWN likewise."""


@dataclass(frozen=True)
class Rounding:
    """`Quant`: real = scale · (clip(round(x / scale + zero), low, high) − zero)."""

    scale: Fraction
    zero: int
    low: int
    high: int
    mode: str

    @property
    def slope(self) -> Fraction:
        """Real units of one level."""
        return self.scale

    @property
    def offset(self) -> Fraction:
        """The real number that the integer 0 stands for."""
        return -self.scale * self.zero

    def base(self, low: int) -> int:
        """The lowest level, where the least level that can be met is `low`."""
        return self.low

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        """Where each level above the lowest is reached."""
        rows = [ROUNDINGS[self.mode](level) for level in range(self.low + 1, self.high + 1)]
        return [((point - self.zero) * self.scale, inclusive) for point, inclusive in rows]

    def level_of(self, x: Fraction) -> int:
        """A level near that of x; only truncation needs one."""
        return self.low


@dataclass(frozen=True)
class Bipolar:
    """`BipolarQuant`: real = scale where x ≥ 0, else −scale; as the integers 0 and 1, or −1 and 1 at the output."""

    scale: Fraction
    at_output: bool = False

    @property
    def slope(self) -> Fraction:
        return self.scale if self.at_output else 2 * self.scale

    @property
    def offset(self) -> Fraction:
        return Fraction(0) if self.at_output else -self.scale

    def base(self, low: int) -> int:
        return -1 if self.at_output else 0

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        return [(Fraction(0), True)] * (2 if self.at_output else 1)

    def level_of(self, x: Fraction) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class Comparison:
    """`MultiThreshold`: real = scale · #{k : x ≥ thresholds[c, k]} + shift; thresholds [channels or 1, levels]."""

    thresholds: npt.NDArray[np.float64]
    scale: Fraction
    shift: Fraction

    @property
    def slope(self) -> Fraction:
        return self.scale

    @property
    def offset(self) -> Fraction:
        whole = self.shift / self.scale
        return Fraction(0) if whole.denominator == 1 else self.shift

    def base(self, low: int) -> int:
        whole = self.shift / self.scale
        return int(whole) if whole.denominator == 1 else 0

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        row = self.thresholds[channel if len(self.thresholds) > 1 else 0]
        return [(Fraction(value), True) for value in np.sort(row).tolist()]

    def level_of(self, x: Fraction) -> int:
        return 0


@dataclass(frozen=True)
class Truncation:
    """`Trunc`: n = round_half_even(x / scale + zero) loses its lowest `shift` bits by `mode`; real = slope·q + offset.

    Without `low` and `high`, all levels that can be met.
    """

    scale: Fraction
    zero: int
    shift: int
    mode: str
    slope: Fraction
    offset: Fraction
    low: int | None = None
    high: int | None = None

    def base(self, low: int) -> int:
        return low if self.low is None else self.low

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        first, last = self.base(low), high if self.high is None else self.high
        rows = []
        for level in range(first + 1, last + 1):
            point, inclusive = ROUNDINGS[self.mode](level)
            whole = point * 2**self.shift
            least = math.ceil(whole) if inclusive else math.floor(whole) + 1
            tie, at_tie = ROUNDINGS["ROUND"](least)
            rows.append(((tie - self.zero) * self.scale, at_tie))
        return rows

    def level_of(self, x: Fraction) -> int:
        return math.floor((x / self.scale + self.zero) / (1 << self.shift))


Staircase: TypeAlias = Rounding | Bipolar | Comparison | Truncation


def first_to_reach(response: Response, reach: Reach, low: int, high: int) -> int:
    """The least integer of low … high + 1 at which `response`, of a slope that is not negative, has got that far."""
    point, inclusive = reach

    def there(x: Fraction) -> bool:
        return x >= point if inclusive else x > point

    if response.low is not None and there(response.low):
        return low
    if response.high is not None and not there(response.high):
        return high + 1
    if response.slope == 0:
        return low if there(response.offset) else high + 1
    distance = (point - response.offset) / response.slope
    least = math.ceil(distance) if inclusive else math.floor(distance) + 1
    return min(max(least, low), high + 1)
