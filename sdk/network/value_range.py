"""Exact ranges of integer values, one per channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError

__all__ = ["IntArray", "ValueRange"]

IntArray = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class ValueRange:
    """The smallest and largest value that each channel of a tensor can take.

    Parameters
    ----------
    low, high : int64 [channels], low ≤ high; both ends are reachable or a bound.
    """

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        low = np.asarray(self.low, dtype=np.int64)
        high = np.asarray(self.high, dtype=np.int64)
        if low.ndim != 1 or low.shape != high.shape or np.any(low > high):
            raise NetworkError("value range", f"low {low.shape} and high {high.shape} do not bound one vector")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @classmethod
    def uniform(cls, low: int, high: int, channels: int) -> ValueRange:
        """The same range for every one of `channels` channels."""
        return cls(np.full(channels, low, np.int64), np.full(channels, high, np.int64))

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.low.size)

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value over all channels."""
        return int(self.low.min()), int(self.high.max())

    @property
    def signed(self) -> bool:
        """Whether a negative value can occur."""
        return self.bounds[0] < 0

    @property
    def bits(self) -> int:
        """Width in bits that holds every value: two's complement if `signed`, else unsigned; at least 1."""
        low, high = self.bounds
        if low < 0:
            return max((-low - 1).bit_length(), high.bit_length()) + 1
        return max(high.bit_length(), 1)

    def contains(self, values: IntArray) -> bool:
        """Whether all of `values` [..., channels] lie within the range of their channel."""
        return bool(np.all(values >= self.low) and np.all(values <= self.high))
