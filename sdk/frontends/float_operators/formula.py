"""A function of each value by itself that is no clamp, by its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .curves import CURVES, Curve
from .interval import Interval
from .operator import FloatOperator, Floats, Role

__all__ = ["Formula"]


@dataclass(frozen=True)
class Formula(FloatOperator):
    """y = f(x), f of `curves.CURVES`, which says it in an equation.

    Parameters
    ----------
    function : the name of f.
    a : its parameter; 0 of functions that have none.
    """

    kind: ClassVar[str] = "formula"
    role: ClassVar[Role] = Role.FUNCTION

    function: str
    a: float = 0.0

    def __post_init__(self) -> None:
        if self.function not in CURVES:
            raise InputError("formula", f"has no function {self.function}", f"It has {', '.join(CURVES)}")
        low, high = CURVES[self.function].takes or (0.0, 0.0)
        if not (isinstance(self.a, (int, float)) and low <= self.a <= high):
            raise InputError("formula", f"the parameter of {self.function} must be {low:g} … {high:g}, found {self.a}")

    @property
    def _curve(self) -> Curve:
        return CURVES[self.function]

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return self._curve.compute(arrays, inputs[0], float(self.a))

    def output_range(self, *inputs: Interval) -> Interval:
        (x,) = inputs
        ends = [self._range(low, high) for low, high in _pairs(x)]
        return Interval(np.array([low for low, _ in ends]), np.array([high for _, high in ends]))

    def _range(self, low: float, high: float) -> tuple[float, float]:
        curve = self._curve
        values = [self._at(low), self._at(high), *(self._at(turn) for turn in curve.turns_within(low, high))]
        return min(values), max(values)

    def _at(self, x: float) -> float:
        if math.isinf(x):
            return self._curve.right(self.a) if x > 0 else self._curve.left(self.a)
        with np.errstate(over="ignore"):
            return float(self.evaluate(np.array([x]))[0])

    def direction(self, *inputs: Interval) -> Floats:
        (x,) = inputs
        return np.array([self._direction(low, high) for low, high in _pairs(x)])

    def _direction(self, low: float, high: float) -> float:
        if self._curve.turns_within(low, high):
            return 0.0
        first, last = self._at(low), self._at(high)
        return -1.0 if last < first else 1.0


def _pairs(x: Interval) -> list[tuple[float, float]]:
    """Both ends of each channel."""
    low, high = np.broadcast_arrays(x.low, x.high)
    return list(zip(low.tolist(), high.tolist(), strict=True))
