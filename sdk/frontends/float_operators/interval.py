"""Ranges of real values, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Interval"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Interval:
    """Values from `low` to `high`, float64 [channels] or [1] for all channels; the ends may be infinite."""

    low: Floats
    high: Floats

    @staticmethod
    def unbounded() -> Interval:
        """All real numbers."""
        return Interval(np.array([-np.inf]), np.array([np.inf]))

    def holds(self, values: npt.NDArray[np.floating]) -> bool:
        """Whether all values [samples, channels] lie in it."""
        return bool(np.all(values >= self.low) and np.all(values <= self.high))
