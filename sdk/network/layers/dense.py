"""A fully connected layer on integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["Dense"]

_MOST_WEIGHTS = 2**24
"""Of one layer that is made for many positions."""


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """acc[o] = Σ_i weight[o, i] · (x[i] − input_zero_point) + bias[o]; exact, never wider than 32 bits.

    Parameters
    ----------
    weight : integers [outputs, inputs]; of 1 bit: −1 or +1 (bipolar); of b ≥ 2 bits: −2^(b−1) … 2^(b−1) − 1.
    weight_bits : 1 to 8.
    bias : int32 [outputs].
    input_zero_point : the integer that stands for zero at the input; int32.
    """

    kind: ClassVar[str] = "dense"
    weighted_sum: ClassVar[bool] = True
    affine: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    weight: npt.NDArray[np.int32]
    weight_bits: int
    bias: npt.NDArray[np.int32]
    input_zero_point: int = 0

    def __post_init__(self) -> None:
        bits = integer_scalar("dense, weight bits", self.weight_bits, 1, 8)
        low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        weight = integer_array("dense, weight", self.weight, 2, low, high)
        bias = integer_array("dense, bias", self.bias, 1)
        if bits == 1 and np.any(weight == 0):
            raise NetworkError("dense, weight", "1-bit weights are bipolar: −1 or +1, found 0")
        if bias.size != weight.shape[0]:
            raise NetworkError("dense, bias", f"must have {weight.shape[0]} values, found {bias.size}")
        zero_point = integer_scalar("dense, input zero point", self.input_zero_point, -(2**31), 2**31 - 1)
        for name, value in (
            ("weight", weight),
            ("weight_bits", bits),
            ("bias", bias),
            ("input_zero_point", zero_point),
        ):
            object.__setattr__(self, name, value)

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.weight.shape[1])

    @property
    def multiplications(self) -> int:
        return int(self.weight.size)

    @property
    def weight_memory(self) -> int:
        return int(self.weight.size) * self.weight_bits

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise NetworkError("dense", f"takes {self.inputs} inputs, found {list(input_sizes)}")
        return self.outputs

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        low, high = x.low - self.input_zero_point, x.high - self.input_zero_point
        weight = self.weight.astype(np.int64)
        positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
        smallest = positive @ low + negative @ high + self.bias
        largest = positive @ high + negative @ low + self.bias
        return ValueRange(smallest.astype(np.int64), largest.astype(np.int64))

    @cached_property
    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        """Transposed weights as float32 and float64, and the largest Σ|w| + |b| of a row."""
        transposed = np.ascontiguousarray(self.weight.T)
        magnitude = np.abs(self.weight.astype(np.int64)).sum(axis=1).max()
        return {
            "f4": transposed.astype(np.float32),
            "f8": transposed.astype(np.float64),
            "magnitude": np.array(int(magnitude)),
        }

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        """Runs on the float matrix product of BLAS if that is exact: every partial sum is an integer below
        2^24 (float32) or 2^53 (float64), so no order of summation can round."""
        (x,) = inputs
        centred = x - np.int64(self.input_zero_point) if self.input_zero_point else x
        if centred.size == 0:
            return np.zeros((x.shape[0], self.outputs), np.int32)
        largest = max(abs(int(centred.min())), abs(int(centred.max())))
        bound = largest * int(self._columns["magnitude"])
        dtype = np.float32 if bound < 2**24 else np.float64
        if bound >= 2**53:
            raise NetworkError("dense", f"|accumulator| may reach {bound}, past exact arithmetic")
        products = centred.astype(dtype) @ self._columns["f4" if dtype is np.float32 else "f8"]
        exact: npt.NDArray[np.int64] = products.astype(np.int64) + self.bias
        return exact.astype(np.int32)

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = np.any(self.weight[wanted] != 0, axis=0)
        return found

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Dense:
        """What left-out inputs always add goes into the bias; NetworkError where that passes 32 bits."""
        left_out = np.delete(np.arange(self.inputs), inputs)
        weight = self.weight[outputs].astype(np.int64)
        bias = self.bias[outputs] + weight[:, left_out] @ (constants[left_out] - self.input_zero_point)
        return Dense(self.weight[np.ix_(outputs, inputs)], self.weight_bits, bias, self.input_zero_point)

    def over_positions(self, gather: npt.NDArray[np.int32], inputs: int, padding: int) -> Dense:
        """Weights of 0 where a position does not gather; of at least 2 bits then, as 1 bit has no 0."""
        positions = len(gather)
        if positions * self.outputs * inputs > _MOST_WEIGHTS:
            raise NetworkError("dense", f"has more than {_MOST_WEIGHTS} weights for {positions} positions together")
        weights = np.zeros((positions, self.outputs, inputs + 1), np.int64)
        for position, sources in enumerate(gather):
            np.add.at(weights[position].T, sources, self.weight.T)  # −1 is the last one, the padding
        weight = weights.reshape(-1, inputs + 1)
        bias = np.tile(self.bias.astype(np.int64), positions) + weight[:, -1] * (padding - self.input_zero_point)
        whole = weight[:, :-1]
        bits = max(self.weight_bits, 2, *(int(end).bit_length() + 1 for end in (whole.max(), ~whole.min())))
        if self.weight_bits == 1 and np.all(np.abs(whole) == 1):
            bits = 1
        return Dense(
            integer_array("dense, weight", whole, 2), bits, integer_array("dense, bias", bias, 1), self.input_zero_point
        )

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (direction @ self.weight.astype(np.float64),)

    def summary(self) -> str:
        zero_share = float(np.mean(self.weight == 0))
        return f"{self.inputs} → {self.outputs}, {self.weight_bits} bit weights, {zero_share:.0%} zero"
