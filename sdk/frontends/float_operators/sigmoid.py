"""The logistic function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .arrays import NUMPY, ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Role

__all__ = ["Sigmoid"]

_FLAT = 1e-4
"""Outputs so near to an end hardly move."""


@dataclass(frozen=True)
class Sigmoid(FloatOperator):
    """y = 1 / (1 + exp(−x))."""

    kind: ClassVar[str] = "sigmoid"
    role: ClassVar[Role] = Role.FUNCTION
    rises_everywhere: ClassVar[bool] = True
    gives_probability: ClassVar[bool] = True

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return arrays.sigmoid(inputs[0])

    def output_range(self, *inputs: Interval) -> Interval:
        (x,) = inputs
        return Interval(NUMPY.sigmoid(x.low), NUMPY.sigmoid(x.high))

    @property
    def saturated_beyond(self) -> tuple[float, float] | None:
        return _FLAT, 1.0 - _FLAT
