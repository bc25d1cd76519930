"""The thresholds of an integrate-and-fire neuron: an initial charge, and an increment for each spike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Schedule"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Schedule:
    """How far the potential must rise for each further spike, per channel.

    With thresholds T[1] ≤ … ≤ T[L] of the accumulator z, a neuron starts at v = z + charge and pays increment[k] for
    its k-th spike, which it may give once v ≥ increment[k]: after k spikes v = z + charge − Σ increment[1..k], so that
    the spikes number #{k : z ≥ T[k]}. That needs increment[k] = T[k] − T[k−1] for k > 1 and
    charge = increment[1] − T[1]; increment[1] is free, and is chosen equal to increment[2], so that equal distances
    give one plain threshold θ.

    Parameters
    ----------
    thresholds : int32 [channels, levels], each row ascending.
    """

    thresholds: npt.NDArray[np.int32]

    @property
    def levels(self) -> int:
        """Most spikes per value."""
        return int(self.thresholds.shape[1])

    @property
    def channels(self) -> int:
        """Number of neurons."""
        return int(self.thresholds.shape[0])

    @cached_property
    def increments(self) -> Int64:
        """int64 [channels, levels], none negative: what each spike costs."""
        wide = self.thresholds.astype(np.int64)
        increments = np.ones_like(wide)
        if self.levels > 1:
            increments[:, 1:] = np.diff(wide, axis=1)
            increments[:, 0] = np.maximum(increments[:, 1], 1)
        return increments

    @cached_property
    def paid(self) -> Int64:
        """int64 [channels, levels + 1]: what the first 0, 1, … spikes cost together."""
        return np.concatenate([np.zeros((self.channels, 1), np.int64), np.cumsum(self.increments, axis=1)], axis=1)

    @cached_property
    def charge(self) -> Int64:
        """int64 [channels]: what the potential starts with, beside the bias."""
        return self.increments[:, 0] - self.thresholds[:, 0]

    @cached_property
    def uniform(self) -> npt.NDArray[np.bool_]:
        """bool [channels]: whether one threshold θ serves all spikes of the channel."""
        result: npt.NDArray[np.bool_] = np.all(self.increments == self.increments[:, :1], axis=1)
        return result

    def level(self, potential: Int64) -> Int64:
        """#{k : v ≥ Σ increment[1..k]} for v [..., channels]: the number of spikes, by definition."""
        paid = np.cumsum(self.increments, axis=1)
        result = np.zeros(potential.shape, np.int64)
        for k in range(self.levels):
            result += potential >= paid[:, k]
        return result
