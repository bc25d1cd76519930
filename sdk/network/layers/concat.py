"""Two tensors side by side: skip connections of the DenseNet kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_scalar
from ..layer import Direction, Layer
from ..value_range import IntArray, ValueRange
from .shared import PADDING, Shared

__all__ = ["Concat"]


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """y = (a[0], …, a[A − 1], b[0], …, b[B − 1]), both integers of one scale and zero point.

    Parameters
    ----------
    first : A, how many values the first input has.
    second : B, how many the second one has.
    """

    kind: ClassVar[str] = "concat"
    input_count: ClassVar[int] = 2
    expands: ClassVar[bool] = True
    affine: ClassVar[bool] = True

    first: int
    second: int

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            object.__setattr__(self, name, integer_scalar(f"concat, {name}", getattr(self, name), 1, 2**24))

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.first, self.second):
            raise NetworkError(
                "concat", f"takes inputs of sizes {[self.first, self.second]}, found {list(input_sizes)}"
            )
        return self.first + self.second

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        a, b = inputs
        return ValueRange(np.concatenate([a.low, b.low]), np.concatenate([a.high, b.high]))

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        return np.concatenate(inputs, axis=1).astype(np.int32, copy=False)

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return direction[..., : self.first], direction[..., self.first :]

    def as_sum(self) -> tuple[Shared, Shared]:
        """Each input among zeros at its places."""
        outputs = self.first + self.second
        places = np.full((2, outputs, 1), PADDING, np.int32)
        places[0, : self.first, 0] = np.arange(self.first)
        places[1, self.first :, 0] = np.arange(self.second)
        return Shared((), places[0], self.first), Shared((), places[1], self.second)

    def summary(self) -> str:
        return f"{self.first} values and {self.second} behind them"
