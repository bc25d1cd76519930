"""Functions of one integer as MultiThresholds: every one of them is a sum of steps up and steps down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Steps", "steps_of_table"]


@dataclass(frozen=True, eq=False)
class Steps:
    """y(x) = base + #{k : x ≥ up[k]} − #{k : x ≥ down[k]}; int64, ascending, a step as often as it is high."""

    base: int
    up: npt.NDArray[np.int64]
    down: npt.NDArray[np.int64]


def steps_of_table(table: npt.NDArray[np.int32], first: int, low: int, high: int) -> Steps:
    """The function y(x) = table[x − first] for low ≤ x ≤ high."""
    values = table[low - first : high - first + 1].astype(np.int64)
    rises = np.diff(values)
    places = np.arange(low + 1, high + 1)
    return Steps(int(values[0]), np.repeat(places, np.maximum(rises, 0)), np.repeat(places, np.maximum(-rises, 0)))
