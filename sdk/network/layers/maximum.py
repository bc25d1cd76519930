"""The largest of some values: max-pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange
from .dense import Dense
from .shared import Shared
from .threshold import Threshold

__all__ = ["Maximum"]

_MOST_GATHERED = 2**26
_MOST_LEVELS = 255


@dataclass(frozen=True, eq=False)
class Maximum(Layer):
    """y[p] = max over k of x[gather[p, k]]; all inputs are of one scale and zero point.

    Parameters
    ----------
    gather : int32 [outputs, K], 0 … inputs − 1.
    inputs : how many inputs the layer takes.
    """

    kind: ClassVar[str] = "maximum"
    expands: ClassVar[bool] = True

    gather: npt.NDArray[np.int32]
    inputs: int

    def __post_init__(self) -> None:
        inputs = integer_scalar("maximum, inputs", self.inputs, 1, 2**24)
        gather = integer_array("maximum, gather", self.gather, 2, 0, inputs - 1)
        if gather.size > _MOST_GATHERED:
            raise NetworkError("maximum, gather", f"more than {_MOST_GATHERED} values for all outputs together")
        object.__setattr__(self, "gather", gather)
        object.__setattr__(self, "inputs", inputs)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.gather.shape[0])

    @property
    def width(self) -> int:
        """Values that each output looks at, K."""
        return int(self.gather.shape[1])

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise NetworkError("maximum", f"takes {self.inputs} inputs, found {list(input_sizes)}")
        return self.outputs

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        return ValueRange(x.low[self.gather].max(axis=1), x.high[self.gather].max(axis=1))

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        y = x[:, self.gather[:, 0]].astype(np.int32)
        for column in self.gather[:, 1:].T:
            np.maximum(y, x[:, column], out=y)
        return y

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found = np.zeros(self.inputs, np.bool_)
        found[self.gather[wanted]] = True
        return found

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Maximum:
        places = np.full(self.inputs, -1, np.int32)
        places[inputs] = np.arange(inputs.size)
        return Maximum(places[self.gather[outputs]], int(inputs.size))

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        total = np.zeros(self.inputs)
        np.add.at(total, self.gather, np.repeat(direction[:, None], self.width, axis=1))
        return (total,)

    def as_shared(self, x: ValueRange) -> Shared:
        """By sums and thresholds alone.

        max(a, b) = b + #{k = 1 … L : a − b ≥ k} for values of L + 1 successive integers, pair by pair, in as many
        rounds as halve the number of values to one. Raises NetworkError where the values are of more than 8 bits.
        """
        low, high = x.bounds
        levels = max(high - low, 1)
        if levels > _MOST_LEVELS:
            raise NetworkError("maximum", f"of values {low} … {high}, which are of more than 8 bits")
        chain: list[Layer] = []
        values = np.eye(self.width, dtype=np.int64)  # [values left, what they are sums of]
        lowest = low
        while len(values) > 1:
            pairs = len(values) // 2
            first, second = values[: 2 * pairs : 2], values[1 : 2 * pairs : 2]
            rows = np.concatenate([first - second, second, values[2 * pairs :]])
            chain.append(Dense(rows.astype(np.int32), 2, np.zeros(len(rows), np.int32)))
            steps = np.arange(1, levels + 1)
            own = np.repeat(lowest + steps[None], len(rows), axis=0)
            own[:pairs] = steps
            chain.append(Threshold(own.astype(np.int32)))
            # A difference that is counted and what it was to make one value; the last one may stand alone.
            left = np.eye(len(rows), dtype=np.int64)
            values = np.concatenate([left[:pairs] + left[pairs : 2 * pairs], left[2 * pairs :]])
            lowest = 0
        if self.width > 1:
            chain.append(Dense(values.astype(np.int32), 2, np.zeros(1, np.int32)))
            chain.append(Threshold(np.arange(1, levels + 1, dtype=np.int32)[None], low))
        return Shared(tuple(chain), self.gather, self.inputs)

    def summary(self) -> str:
        return f"the largest of {self.width}, {self.outputs} times"
