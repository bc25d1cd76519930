"""Integers on which comparisons x > t with real thresholds come out as on x itself.

The thresholds of a feature must lie on a grid, t = t₀ + n · d with whole n. With q = round((x − t₀) / (d / 2) + 1/2),
x > t₀ + n · d is q ≥ 2n + 1. Thresholds are float32, and often values that x takes, so that x = t must not depend on
the last bits: q is made to change at t + d / 50,000, and x between the two counts as t.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...network import Encode, InputQuantizer
from ...network.layers.encode import LEVEL
from .parts import refused

__all__ = ["quantizer_and_levels"]

Floats = npt.NDArray[np.float64]

_BITS = 8
_MOST_STEPS = (1 << _BITS) // 2 - 1
_NEAR = 1e-5
"""Of a step: thresholds are float32."""


def quantizer_and_levels(thresholds: Floats, where: str) -> tuple[InputQuantizer, Encode]:
    """The quantizer and the comparisons of features, in the order [feature, threshold].

    Raises
    ------
    InputError : thresholds, float64 [features, T], are not finite, or those of a feature lie on no grid of 127 steps.
    """
    features, count = thresholds.shape
    if not np.all(np.isfinite(thresholds)):
        raise refused(where, "has thresholds that are not finite", "Fit them to the data again")
    lowest = thresholds.min(axis=1)
    steps = np.array([_step(row, where, feature) for feature, row in enumerate(thresholds)])
    places = np.rint((thresholds - lowest[:, None]) / steps[:, None]).astype(np.int64)
    # The last integer is the one above the highest threshold of all: no larger one is told apart.
    bits = int(2 * places.max() + 1).bit_length()
    scale = steps / 2
    source = np.repeat(np.arange(features), count).astype(np.int32)
    operand = (2 * places + 1).reshape(-1).astype(np.int32)
    quantizer = InputQuantizer(features, scale, lowest + 2 * _NEAR * steps - scale / 2, 0, bits, False)
    return quantizer, Encode(source, np.full(source.size, LEVEL, np.int32), operand, features)


def _step(row: Floats, where: str, feature: int) -> float:
    """The largest step on which all thresholds of a feature lie."""
    distance = row - row.min()
    span = float(distance.max())
    if span == 0:
        return 1.0
    for steps in range(1, _MOST_STEPS + 1):
        places = distance / (span / steps)
        if np.abs(places - np.rint(places)).max() <= _NEAR:
            return span / steps
    raise refused(
        where,
        f"compares feature {feature} with thresholds on no grid of up to {_MOST_STEPS} steps",
        "Round them to one (for features that are whole numbers, to halves of such), and fit again",
    )
