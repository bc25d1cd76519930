"""Clocks as arrays: when each value of a stream is there, or is taken."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ValueClocks", "spaced"]

ValueClocks = npt.NDArray[np.int64]
"""int64 [values], frame after frame: the clock of each value, counted from the first that enters the design."""


def spaced(clocks: ValueClocks) -> ValueClocks:
    """The earliest clocks ≥ `clocks` that are at least one apart."""
    index = np.arange(len(clocks))
    return np.maximum.accumulate(clocks - index) + index
