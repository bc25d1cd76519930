"""The product of two tensors, value by value: gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["Multiply"]


@dataclass(frozen=True, eq=False)
class Multiply(Layer):
    """y[c] = a[c] · b[c], integers of zero point 0; the scale of y is the product of theirs."""

    kind: ClassVar[str] = "multiply"
    input_count: ClassVar[int] = 2
    channelwise: ClassVar[bool] = True

    def output_size(self, *input_sizes: int) -> int:
        if len(input_sizes) != 2 or input_sizes[0] != input_sizes[1]:
            raise NetworkError("multiply", f"takes two inputs of one size, found {list(input_sizes)}")
        return input_sizes[0]

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """A product is linear in each factor, so its ends are among those of the four corners."""
        a, b = inputs
        # Both are within 32 bits, so that each corner is within 64.
        corners = [one.astype(np.int64) * other for one in (a.low, a.high) for other in (b.low, b.high)]
        return ValueRange(np.min(corners, axis=0), np.max(corners, axis=0))

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        a, b = inputs
        return (a.astype(np.int64) * b).astype(np.int32)

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Multiply:
        return self

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        """As if no factor were negative."""
        return direction, direction

    def wanted_inputs_at(self, direction: Direction, *values: IntArray) -> tuple[Direction, ...]:
        """A factor should go along with its product where the other one is positive, and against it where it is
        negative."""
        a, b = (np.where(value < 0, -1.0, 1.0) for value in values)
        return direction * b, direction * a
