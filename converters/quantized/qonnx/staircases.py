"""Quantizers as staircases: at which real number each level is reached, by rounding mode, in rational numbers."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.arrays import ArrayLibrary
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.operator import FloatOperator, Role

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


_MOST_LEVELS = 255


class Staircase(FloatOperator):
    """A quantizer of each value by itself: real = slope · level + offset. It occurs only in models that are read from
    QONNX, is looked at in rational numbers, and is never computed in floating point."""

    role: ClassVar[Role] = Role.QUANTIZER

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        raise InputError("quantizer", "has no value in floating point", "Read the network that the file becomes")

    def output_range(self, *inputs: Interval) -> Interval:
        return Interval.unbounded()

    @property
    @abstractmethod
    def slope(self) -> Fraction:
        """Real units of one level."""

    @property
    @abstractmethod
    def offset(self) -> Fraction:
        """The real number that the integer 0 stands for."""

    @abstractmethod
    def base(self, low: int) -> int:
        """The lowest level, where the least level that can be met is `low`."""

    @abstractmethod
    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        """Where each level above the lowest is reached; `low` and `high` bound those that can be met."""

    def levels_met(self, ends: Iterable[Fraction]) -> tuple[int, int]:
        """Bounds of the levels that it gives for numbers between `ends`; (0, 0) if it has limits of its own."""
        return 0, 0

    def at_output(self) -> Staircase:
        """The same as the last quantizer of a model: what follows must stay whole numbers."""
        return self

    @property
    def as_input(self) -> Rounding | None:
        """Itself if an input quantizer of edgeml's can be that: it rounds half to even."""
        return None

    @property
    def scale_of_signs(self) -> Fraction | None:
        """Of a quantizer that gives ±scale, that scale."""
        return None


@dataclass(frozen=True)
class Rounding(Staircase):
    """`Quant`: real = scale · (clip(round(x / scale + zero), low, high) − zero)."""

    scale: Fraction
    zero: int
    low: int
    high: int
    mode: str

    @property
    def slope(self) -> Fraction:
        return self.scale

    @property
    def offset(self) -> Fraction:
        return -self.scale * self.zero

    def base(self, low: int) -> int:
        return self.low

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        rows = [ROUNDINGS[self.mode](level) for level in range(self.low + 1, self.high + 1)]
        return [((point - self.zero) * self.scale, inclusive) for point, inclusive in rows]

    @property
    def as_input(self) -> Rounding | None:
        return self if self.mode in ("ROUND", "HALF_EVEN") else None


@dataclass(frozen=True)
class Bipolar(Staircase):
    """`BipolarQuant`: real = scale where x ≥ 0, else −scale; as the integers 0 and 1, or −1 and 1 at the output."""

    scale: Fraction
    last: bool = False

    @property
    def slope(self) -> Fraction:
        return self.scale if self.last else 2 * self.scale

    @property
    def offset(self) -> Fraction:
        return Fraction(0) if self.last else -self.scale

    def base(self, low: int) -> int:
        return -1 if self.last else 0

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        return [(Fraction(0), True)] * (2 if self.last else 1)

    def at_output(self) -> Staircase:
        return replace(self, last=True)

    @property
    def scale_of_signs(self) -> Fraction | None:
        return self.scale


@dataclass(frozen=True, eq=False)
class Comparison(Staircase):
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


@dataclass(frozen=True)
class Truncation(Staircase):
    """`Trunc`: n = round_half_even(x / scale + zero) loses its lowest `shift` bits by `mode`; real = unit·q + origin.

    Without `low` and `high`, all levels that can be met.
    """

    scale: Fraction
    zero: int
    shift: int
    mode: str
    unit: Fraction
    origin: Fraction
    low: int | None = None
    high: int | None = None

    @property
    def slope(self) -> Fraction:
        return self.unit

    @property
    def offset(self) -> Fraction:
        return self.origin

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

    def levels_met(self, ends: Iterable[Fraction]) -> tuple[int, int]:
        levels = [math.floor((x / self.scale + self.zero) / (1 << self.shift)) for x in ends]
        return min(levels) - 1, min(max(levels) + 2, min(levels) + 2 * _MOST_LEVELS)


def first_to_reach(response: ClampedLine, reach: Reach, low: int, high: int) -> int:
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
