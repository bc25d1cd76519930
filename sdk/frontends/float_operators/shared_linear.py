"""The same weights at several positions: convolutions, and linear layers on [batch, positions, channels]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .gather import Gather, as_gather
from .interval import Interval
from .operator import FloatOperator, Floats, finite_array
from .weights import Weights

__all__ = ["SharedLinear"]


@dataclass(frozen=True, eq=False)
class SharedLinear(Weights):
    """y[p·R + r] = Σ_c weight[r, c] · x[source[p, c]] + bias[r]; x[−1] counts as 0.

    Parameters
    ----------
    weight : float64 [R, C]. bias : float64 [R].
    source : float64 [P, C], whole numbers −1 … inputs − 1.
    inputs : how many values it takes.
    groups : rows and columns in so many groups, in order; weights between different groups are 0 and stay so.
    """

    kind: ClassVar[str] = "shared_linear"

    source: Floats
    inputs: int
    groups: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", finite_array("shared linear, weight", self.weight, 2))
        object.__setattr__(self, "bias", finite_array("shared linear, bias", self.bias, 1))
        object.__setattr__(self, "source", finite_array("shared linear, source", self.source, 2))
        rows, columns = self.weight.shape
        if self.bias.size != rows or self.source.shape[1] != columns:
            raise InputError(
                "shared linear",
                f"has weights [{rows}, {columns}], {self.bias.size} biases, {self.source.shape[1]} columns",
            )
        if type(self.groups) is not int or self.groups < 1 or rows % self.groups or columns % self.groups:
            raise InputError("shared linear, groups", f"must divide {rows} rows and {columns} columns")
        if self.kept is not None and np.any(self.weight * (1.0 - self.kept)):
            raise InputError("shared linear, weight", "is not 0 between different groups")
        assert self.gather.positions > 0

    @cached_property
    def gather(self) -> Gather:
        return as_gather("shared linear, source", self.source, self.inputs)

    @cached_property
    def kept(self) -> Floats | None:
        if self.groups == 1:
            return None
        rows, columns = self.weight.shape
        blocks = np.kron(np.eye(self.groups), np.ones((rows // self.groups, columns // self.groups)))
        return np.asarray(blocks, np.float64)

    def with_weights(self, weight: Floats, bias: Floats) -> SharedLinear:
        return SharedLinear(weight, bias, self.source, self.inputs, self.groups)

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise InputError("shared linear", f"takes {self.inputs} values, found {list(input_sizes)}")
        return self.positions * len(self.weight)

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return self.joined(self.rows(inputs[0]) @ parameters["weight"].T + parameters["bias"])

    def output_range(self, *inputs: Interval) -> Interval:
        ends = [np.broadcast_to(end, (self.inputs,)) for end in (inputs[0].low, inputs[0].high)]
        low, high = (self.gather.at_positions(end)[:, None, :] for end in ends)
        with np.errstate(invalid="ignore"):
            sides = [np.where(self.weight == 0, 0.0, self.weight * end) for end in (low, high)]
            least, most = (choose(*sides).sum(axis=2) + self.bias for choose in (np.minimum, np.maximum))
        return Interval(least.reshape(-1), most.reshape(-1))

    def followed_by(self, following: FloatOperator) -> FloatOperator | None:
        """Its bias, where that stands behind it as a shift alike at all positions."""
        found = following.scale_and_shift
        if found is None or np.any(found[0] != 1) or np.any(self.bias):
            return None
        return self.scaled_and_shifted(*found)

    def scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        """None where scale or shift differ from position to position."""
        scale, shift = (each.reshape(self.positions, -1) for each in (scale, shift))
        if np.any(scale != scale[0]) or np.any(shift != shift[0]):
            return None
        return self.with_weights(self.weight * scale[0][:, None], self.bias * scale[0] + shift[0])

    def of_scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        """None where the weights or biases would differ from position to position."""
        factors, shifts = self.gather.at_positions(scale, np.nan), self.gather.at_positions(shift)
        used = np.any(self.weight != 0, axis=0)
        known = np.nan_to_num(factors)[np.argmax(~np.isnan(factors), axis=0), np.arange(factors.shape[1])]
        if np.any((factors != known) & ~np.isnan(factors) & used) or np.any((shifts != shifts[0]) & used):
            return None
        return self.with_weights(self.weight * known, self.bias + np.einsum("rc,c->r", self.weight, shifts[0]))
