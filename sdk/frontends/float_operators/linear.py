"""A fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Floats, finite_array
from .weights import Weights

__all__ = ["Linear"]


@dataclass(frozen=True, eq=False)
class Linear(Weights):
    """y = W · x + b; weight float64 [outputs, inputs], bias float64 [outputs]."""

    kind: ClassVar[str] = "linear"
    absorbs_factors: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", finite_array("linear, weight", self.weight, 2))
        object.__setattr__(self, "bias", finite_array("linear, bias", self.bias, 1))
        if self.bias.size != self.weight.shape[0]:
            raise InputError("linear, bias", f"must have {self.weight.shape[0]} values, found {self.bias.size}")

    def with_weights(self, weight: Floats, bias: Floats) -> Linear:
        return Linear(weight, bias)

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        if inputs != self.weight.shape[1]:
            raise InputError("linear", f"takes {self.weight.shape[1]} features, found {inputs}")
        return int(self.weight.shape[0])

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return inputs[0] @ parameters["weight"].T + parameters["bias"]

    def output_range(self, *inputs: Interval) -> Interval:
        low, high = (np.broadcast_to(end, self.weight.shape[1]) for end in (inputs[0].low, inputs[0].high))
        with np.errstate(invalid="ignore"):
            # 0 · ∞ counts as 0: what an input without a weight is does not matter.
            ends = [np.where(self.weight == 0, 0.0, self.weight * end) for end in (low, high)]
            return Interval(np.minimum(*ends).sum(axis=1) + self.bias, np.maximum(*ends).sum(axis=1) + self.bias)

    def followed_by(self, following: FloatOperator) -> FloatOperator | None:
        """Its bias, where that stands behind it as a shift."""
        found = following.scale_and_shift
        if found is None or np.any(found[0] != 1) or np.any(self.bias):
            return None
        return Linear(self.weight, found[1])

    def scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        return Linear(self.weight * scale[:, None], self.bias * scale + shift)

    def of_scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        """Not by BLAS, whose order of summation depends on the number of threads."""
        return Linear(self.weight * scale, self.bias + np.einsum("oi,i->o", self.weight, shift))

    def with_factors(self, before: Floats, after: Floats) -> FloatOperator:
        return Linear(self.weight / before * after[:, None], self.bias * after)

    def effect_of_inputs(self, after: Floats | None, behind: Floats | None) -> Floats | None:
        """The largest weight of each input, whatever follows."""
        rows = np.abs(self.weight)
        return np.asarray((rows if after is None else rows * after[:, None]).max(axis=0))
