"""The sum of two tensors: residual paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["Add"]


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """y[c] = a[c] + b[c], both integers of the same scale and zero point 0."""

    kind: ClassVar[str] = "add"
    input_count: ClassVar[int] = 2
    channelwise: ClassVar[bool] = True
    affine: ClassVar[bool] = True

    def output_size(self, *input_sizes: int) -> int:
        if len(input_sizes) != 2 or input_sizes[0] != input_sizes[1]:
            raise NetworkError("add", f"takes two inputs of one size, found {list(input_sizes)}")
        return input_sizes[0]

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        a, b = inputs
        return ValueRange(a.low + b.low, a.high + b.high)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        a, b = inputs
        return (a.astype(np.int64) + b).astype(np.int32)

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Add:
        return self

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return direction, direction
