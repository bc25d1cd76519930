"""The integers that a model's input becomes, as far as what has been read of the model tells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .feature_functions import VALUES, FeatureFunctions
from .value import Signal

__all__ = ["InputEncoding"]


class InputEncoding:
    """What is known, while a model is read, of the integers that its input becomes: q = round((x − offset) / scale).

    Attributes
    ----------
    grid : (scale, offset); None as long as nothing has told.
    limits : how many values each feature has, int64 [features]: 256, or as many as its smallest table has.
    used : whether the model holds an `Encode`.
    """

    def __init__(self, features: int) -> None:
        self.grid: tuple[float, float] | None = None
        self.limits = np.full(features, VALUES)
        self.used = False
        self._settled: dict[int, tuple[FeatureFunctions, Signal]] = {}

    def limit(self, source: npt.NDArray[np.int64], limit: npt.NDArray[np.int64]) -> None:
        """The features `source` have no more than so many values."""
        np.minimum.at(self.limits, source, limit)

    @property
    def bits(self) -> int:
        """Of the integers."""
        return max(int(self.limits.max() - 1).bit_length(), 1)

    def kept(self, x: FeatureFunctions, signal: Signal | None = None) -> Signal | None:
        """The signal that `x` has become already; `signal` is kept as it."""
        if signal is not None:
            self._settled[id(x)] = (x, signal)
        return self._settled[id(x)][1] if id(x) in self._settled else None
