"""The activation of the quantized form: any monotone function onto a few integers, as a count of comparisons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["Threshold"]

_FEW_LEVELS = 16


@dataclass(frozen=True, eq=False)
class Threshold(Layer):
    """y[c] = base + #{k : acc[c] ≥ thresholds[c, k]}.

    The same as FINN's MultiThreshold with out_scale 1 and out_bias `base`.

    Parameters
    ----------
    thresholds : int32 [channels, levels], each row sorted ascending (equal neighbours allowed: such a level is
        never the answer); levels = 2^bits − 1 for a full range of outputs, at most 255.
    base : the output below all thresholds: 0 for unsigned outputs, −2^(bits−1) for signed ones.
    """

    kind: ClassVar[str] = "threshold"
    monotone: ClassVar[bool] = True
    channelwise: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    thresholds: npt.NDArray[np.int32]
    base: int = 0

    def __post_init__(self) -> None:
        thresholds = integer_array("threshold, thresholds", self.thresholds, 2)
        if thresholds.shape[1] > 255:
            raise NetworkError("threshold, thresholds", f"at most 255 levels, found {thresholds.shape[1]}")
        if np.any(thresholds[:, 1:] < thresholds[:, :-1]):
            channel = int(np.argwhere(thresholds[:, 1:] < thresholds[:, :-1])[0][0])
            raise NetworkError("threshold, thresholds", f"channel {channel} is not sorted ascending")
        object.__setattr__(self, "thresholds", thresholds)
        object.__setattr__(self, "base", integer_scalar("threshold, base", self.base, -(2**15), 2**15))

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.thresholds.shape[0])

    @property
    def levels(self) -> int:
        """Number of thresholds per channel: outputs take at most levels + 1 values."""
        return int(self.thresholds.shape[1])

    @property
    def value_bits(self) -> int:
        return max(int(self.levels).bit_length(), 1)

    @property
    def crossings(self) -> npt.NDArray[np.int32]:
        return self.thresholds

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.channels,):
            raise NetworkError("threshold", f"takes {self.channels} channels, found {list(input_sizes)}")
        return self.channels

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        (x,) = inputs
        count = [(x_end[:, None] >= self.thresholds).sum(axis=1) for x_end in (x.low, x.high)]
        return ValueRange(self.base + count[0], self.base + count[1])

    @cached_property
    def _search_keys(self) -> npt.NDArray[np.int64]:
        """All rows as one sorted vector: row c is shifted by c · 2^33, farther than any accumulator reaches."""
        return (self.thresholds + (np.arange(self.channels, dtype=np.int64)[:, None] << 33)).ravel()

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (acc,) = inputs
        if self.levels <= _FEW_LEVELS:
            y = np.full(acc.shape, self.base, np.int32)
            for k in range(self.levels):
                y += acc >= self.thresholds[:, k]
            return y
        first_of_row = np.arange(self.channels, dtype=np.int64)
        keys = acc.astype(np.int64) + (first_of_row << 33)
        found = np.searchsorted(self._search_keys, keys, side="right")
        return (found - first_of_row * self.levels + self.base).astype(np.int32)

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Threshold:
        return replace(self, thresholds=self.thresholds[outputs])

    def over_positions(self, gather: npt.NDArray[np.int32], inputs: int, padding: int) -> Threshold:
        return replace(self, thresholds=np.tile(self.thresholds, (len(gather), 1)))

    def of_one_position(self, positions: int, reached: ValueRange) -> Threshold | None:
        """A threshold that the values of a position never meet, or always, may be any other such one there."""
        stated = self.thresholds.astype(np.int64).reshape(positions, -1, self.levels)
        low, high = (end.reshape(positions, -1, 1) for end in (reached.low, reached.high))
        always, never = stated <= low, stated > high
        decides = ~always & ~never
        once = np.where(decides, stated, np.iinfo(np.int64).min).max(axis=0)
        # Where no position decides: below all values of those that always reach it.
        below = np.where(always, low, np.iinfo(np.int64).max).min(axis=0)
        above = np.where(never, high + 1, np.iinfo(np.int64).min).max(axis=0)
        once = np.where(decides.any(axis=0), once, np.where(always.any(axis=0), below, above))
        same = np.array_equal(np.clip(once, low, high + 1), np.clip(stated, low, high + 1))
        if not same or once.max() > INT32_HIGH or np.any(once[:, 1:] < once[:, :-1]):
            return None
        return replace(self, thresholds=once.astype(np.int32))

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (direction,)

    def summary(self) -> str:
        return f"{self.levels} thresholds, outputs {self.base} … {self.base + self.levels}"
