"""A function of one small integer, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["Lookup"]


@dataclass(frozen=True, eq=False)
class Lookup(Layer):
    """y[c] = table[x[c] − base], the same table for all channels: 8-bit sigmoid, tanh, a change of scale.

    Parameters
    ----------
    table : int32 [entries], at most 65,536 of them, for x = base … base + entries − 1.
    base : the smallest x; −128 for signed, 0 for unsigned 8-bit values.
    """

    kind: ClassVar[str] = "lookup"
    channelwise: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    table: npt.NDArray[np.int32]
    base: int = -128

    def __post_init__(self) -> None:
        table = integer_array("lookup, table", self.table, 1)
        if table.size > 2**16:
            raise NetworkError("lookup, table", f"at most {2**16} entries, found {table.size}")
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "base", integer_scalar("lookup, base", self.base, -(2**16), 2**16))

    def output_size(self, *input_sizes: int) -> int:
        (size,) = input_sizes
        return size

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        first, last = x.low - self.base, x.high - self.base
        if first.min() < 0 or last.max() >= self.table.size:
            low, high = x.bounds
            end = self.base + self.table.size - 1
            raise NetworkError("lookup", f"its table covers {self.base} … {end}, its input {low} … {high}")
        # Channels mostly share few ranges: each is looked at once.
        ends, channel = np.unique(np.stack([first, last], axis=1), axis=0, return_inverse=True)
        parts = [self.table[a : b + 1] for a, b in ends]
        lowest, highest = (np.array([end(part) for part in parts]) for end in (np.min, np.max))
        return ValueRange(lowest[channel.ravel()], highest[channel.ravel()])

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        y: npt.NDArray[np.int32] = self.table[x - np.int64(self.base)]
        return y

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Lookup:
        return self

    def over_positions(self, gather: npt.NDArray[np.int32], inputs: int, padding: int) -> Lookup:
        return self

    def of_one_position(self, positions: int, reached: ValueRange) -> Lookup:
        return self

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (direction if self.table[-1] >= self.table[0] else -direction,)

    def summary(self) -> str:
        return f"{self.table.size} entries from {self.base}, outputs {self.table.min()} … {self.table.max()}"
