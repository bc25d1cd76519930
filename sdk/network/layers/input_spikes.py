"""The input of an exact spiking network: a population that encodes the input integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_scalar
from ..layer import Direction, Layer
from ..spiking.encodings import encoding
from ..value_range import IntArray, ValueRange

__all__ = ["InputSpikes"]


@dataclass(frozen=True, eq=False)
class InputSpikes(Layer):
    """y = x: the input integers, carried as spikes by a population that encodes them.

    `direct` gives them to the first layer as they are (a current, not spikes); the exact encodings make spikes of
    x − low, and the first layer holds low in its bias.

    Parameters
    ----------
    size : number of features.
    encoding : direct, unary, sar, ttfs, graded or stbif.
    low, high : smallest and largest input integer.
    """

    kind: ClassVar[str] = "input_spikes"
    monotone: ClassVar[bool] = True
    population: ClassVar[bool] = True

    size: int
    encoding: str
    low: int
    high: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", integer_scalar("input spikes, size", self.size, 1, 2**24))
        low = integer_scalar("input spikes, low", self.low, -(2**15), 2**15)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", integer_scalar("input spikes, high", self.high, low + 1, low + 255))
        if self.encoding != "direct":
            encoding(self.encoding)

    @property
    def levels(self) -> int:
        """Largest number that the spikes of one feature can stand for."""
        return self.high - self.low

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.size,):
            raise NetworkError("input spikes", f"takes {self.size} features, found {list(input_sizes)}")
        return self.size

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        low, high = x.bounds
        if low < self.low or high > self.high:
            raise NetworkError("input spikes", f"encodes {self.low} … {self.high}, found inputs {low} … {high}")
        return x

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        return x.astype(np.int32, copy=False)

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (direction,)

    def summary(self) -> str:
        return f"{self.encoding}, {self.low} … {self.high}"
