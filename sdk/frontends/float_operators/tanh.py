"""The hyperbolic tangent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Role

__all__ = ["Tanh"]

_FLAT = 1e-4
"""Outputs so near to an end hardly move."""


@dataclass(frozen=True)
class Tanh(FloatOperator):
    """y = tanh(x)."""

    kind: ClassVar[str] = "tanh"
    role: ClassVar[Role] = Role.FUNCTION
    rises_everywhere: ClassVar[bool] = True

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return arrays.functions.tanh(inputs[0])

    def output_range(self, *inputs: Interval) -> Interval:
        (x,) = inputs
        return Interval(np.tanh(x.low), np.tanh(x.high))

    @property
    def saturated_beyond(self) -> tuple[float, float] | None:
        return -1.0 + _FLAT, 1.0 - _FLAT
