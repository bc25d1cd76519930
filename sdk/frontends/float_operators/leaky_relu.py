"""A line that bends at zero: leaky ReLU, and PReLU with a slope for each channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["LeakyRelu"]


@dataclass(frozen=True, eq=False)
class LeakyRelu(FloatOperator):
    """y = x where x ≥ 0, else slope · x.

    Parameters
    ----------
    slope : float64 [channels].
    """

    kind: ClassVar[str] = "leaky_relu"
    role: ClassVar[Role] = Role.FUNCTION

    slope: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", finite_array("leaky relu, slope", self.slope, 1))

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        if inputs != self.slope.size:
            raise InputError("leaky relu", f"has slopes for {self.slope.size} channels, found {inputs}")
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        (x,) = inputs
        return arrays.functions.where(x >= 0.0, x, parameters["slope"] * x)

    def output_range(self, *inputs: Interval) -> Interval:
        low, high = self._ends(*inputs)
        values = [np.where(end >= 0.0, end, _times(self.slope, end)) for end in (low, high)]
        inside = (low < 0.0) & (high > 0.0)
        least, most = np.minimum(*values), np.maximum(*values)
        return Interval(np.where(inside, np.minimum(least, 0.0), least), np.where(inside, np.maximum(most, 0.0), most))

    def _ends(self, x: Interval) -> tuple[Floats, Floats]:
        low, high = (np.broadcast_to(end, self.slope.shape) for end in (x.low, x.high))
        return low, high

    def direction(self, *inputs: Interval) -> Floats:
        low, high = self._ends(*inputs)
        below = np.where(self.slope < 0.0, -1.0, 1.0)
        return np.where(low >= 0.0, 1.0, np.where(high <= 0.0, below, np.where(below > 0.0, 1.0, 0.0)))

    @property
    def passes_factors(self) -> bool:
        return True


def _times(slope: Floats, end: Floats) -> Floats:
    """slope · end; 0 where the slope is 0, also at an infinite end."""
    with np.errstate(invalid="ignore"):
        return np.where(slope == 0.0, 0.0, slope * end)
