"""Integers into events over time: the input encoders of classic spiking networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, integer_scalar
from ..layer import Direction, Layer
from ..spiking.input_encoders import ENCODERS, encode_over_time
from ..spiking.size_over_time import check_extent
from ..value_range import IntArray, ValueRange

__all__ = ["SpikeEncoder"]

_MOST_DRAWS = 2**22


@dataclass(frozen=True, eq=False)
class SpikeEncoder(Layer):
    """Integers into events over time: [samples, features] → [samples, steps · features] (delta: already over time).

    The encoders and their equations stand in spiking/input_encoders.

    Parameters
    ----------
    encoder : direct, unary, ttfs, rate or delta.
    features : number of input features.
    steps : time steps; for unary and ttfs at least high − low.
    low, high : smallest and largest input integer.
    seed : of the rate encoder's generator, 1 … 2^31 − 1; 0 for the others.
    change : the least change that makes an event, for delta; 0 for the others.
    """

    kind: ClassVar[str] = "spike_encoder"

    encoder: str
    features: int
    steps: int
    low: int
    high: int
    seed: int = 0
    change: int = 0

    def __post_init__(self) -> None:
        if self.encoder not in ENCODERS:
            raise NetworkError("spike encoder", f"{self.encoder!r} is not one of {', '.join(ENCODERS)}")
        features = integer_scalar("spike encoder, features", self.features, 1, 2**24)
        steps = integer_scalar("spike encoder, steps", self.steps, 1, 2**20)
        check_extent("spike encoder", steps, features)
        if self.encoder == "rate" and steps * features > _MOST_DRAWS:
            raise NetworkError("spike encoder", f"the rate encoder makes at most {_MOST_DRAWS} draws a sample")
        low = integer_scalar("spike encoder, low", self.low, -(2**15), 2**15)
        high = integer_scalar("spike encoder, high", self.high, low + 1, low + 255)
        seed = integer_scalar("spike encoder, seed", self.seed, 1 if self.encoder == "rate" else 0, INT32_HIGH)
        change = integer_scalar("spike encoder, change", self.change, 1 if self.encoder == "delta" else 0, 255)
        if self.encoder in ("unary", "ttfs") and steps < high - low:
            raise NetworkError("spike encoder, steps", f"{self.encoder} needs {high - low} steps, found {steps}")
        for name, value in (("features", features), ("steps", steps), ("low", low), ("high", high)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "change", change)

    @property
    def over_time(self) -> bool:
        """Whether the input already has a time axis."""
        return self.encoder == "delta"

    @property
    def time_steps(self) -> int:
        return self.steps

    def output_size(self, *input_sizes: int) -> int:
        expected = self.features * (self.steps if self.over_time else 1)
        if input_sizes != (expected,):
            raise NetworkError("spike encoder", f"takes {expected} inputs, found {list(input_sizes)}")
        return self.steps * self.features

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        low, high = x.bounds
        if low < self.low or high > self.high:
            raise NetworkError("spike encoder", f"encodes {self.low} … {self.high}, found inputs {low} … {high}")
        if self.encoder == "direct":
            return ValueRange(np.tile(x.low, self.steps), np.tile(x.high, self.steps))
        if self.encoder == "delta":
            span = self.high - self.low
            least = np.full(self.steps * self.features, -span, np.int64)
            most = np.full(self.steps * self.features, span, np.int64)
            least[: self.features], most[: self.features] = (
                np.minimum(x.low[: self.features], 0),
                np.maximum(x.high[: self.features], 0),
            )
            return ValueRange(least, most)
        return ValueRange.uniform(0, 1, self.steps * self.features)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        return encode_over_time(
            x, self.encoder, self.steps, low=self.low, high=self.high, seed=self.seed, change=self.change
        )

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        if self.over_time:
            return (direction,)
        return (direction.reshape(self.steps, self.features).sum(axis=0),)

    def summary(self) -> str:
        return f"{self.encoder}, {self.features} features over {self.steps} steps"
