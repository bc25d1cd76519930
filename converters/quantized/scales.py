"""Scales: how they are rounded, and how they are found by least squared error.

Weight scales keep 12 significant bits, activation scales 8. A product of weight, scale, activation and scale then has
at most 8 + 12 + 8 + 8 bits, and a sum of them that fits 32 bits as integers is exact in the 53 bits of float64,
whatever the order of summation. The scales stand for no exact quantity before they are rounded, so nothing is lost:
integers are chosen for the rounded scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

__all__ = [
    "ACTIVATION_SCALE_BITS",
    "POWER_LOW",
    "WEIGHT_SCALE_BITS",
    "Rounded",
    "best_step",
    "best_weight_scales",
    "integer_range",
    "nearest_powers",
    "quantize_weights",
    "round_scale",
]

Floats = npt.NDArray[np.float64]

WEIGHT_SCALE_BITS = 12
ACTIVATION_SCALE_BITS = 8
POWER_LOW = 0.75
"""Between this and twice this, in units of a power of two, that power is the nearest."""
_SMALLEST_SCALE = 2.0**-400
_CANDIDATES = 64
_MOST_VALUES = 2**16


@overload
def round_scale(scale: float, bits: int) -> float: ...
@overload
def round_scale(scale: Floats, bits: int) -> Floats: ...
def round_scale(scale: float | Floats, bits: int) -> float | Floats:
    """The nearest number with `bits` significant bits, never below 2^−400, so that products stay normal numbers."""
    mantissa, exponent = np.frexp(np.maximum(scale, _SMALLEST_SCALE))
    rounded = np.ldexp(np.rint(mantissa * 2.0**bits), exponent - bits)
    return float(rounded) if np.ndim(scale) == 0 else np.asarray(rounded, np.float64)


def integer_range(bits: int, narrow: bool) -> tuple[int, int]:
    """Smallest and largest integer weight of so many bits."""
    if bits == 1:
        return -1, 1
    return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1


def nearest_powers(ratio: Floats, bits: int) -> Floats:
    """The nearest of 0, ±1, ±2, ±4 … ±2^(bits−2) to each; of two as near the larger."""
    size = np.abs(ratio)
    _, exponent = np.frexp(size / POWER_LOW)
    power = np.ldexp(1.0, np.clip(exponent - 1, 0, bits - 2))
    return np.asarray(np.where(size < 0.5, 0.0, np.copysign(power, ratio)))


def _rounded(ratio: Floats, bits: int, narrow: bool, powers: bool) -> Floats:
    if powers:
        return nearest_powers(ratio, bits)
    low, high = integer_range(bits, narrow)
    return np.asarray(np.clip(np.rint(ratio), low, high))


def quantize_weights(
    weight: Floats, scale: Floats, bits: int, narrow: bool, powers: bool = False
) -> npt.NDArray[np.int32]:
    """Integers for weight [outputs, inputs] and scale [outputs] or [1]; of 1 bit the sign, +1 for zero."""
    if bits == 1:
        return np.where(weight >= 0, 1, -1).astype(np.int32)
    return _rounded(weight / scale[:, None], bits, narrow, powers).astype(np.int32)


def best_weight_scales(
    weight: Floats, bits: int, narrow: bool, importance: Floats | None = None, powers: bool = False
) -> Floats:
    """Scale [outputs] of each row, of least squared error Σ_i importance[i] · (scale · q[i] − w[i])².

    1 bit: the weighted mean of |w|, which is the exact optimum. Else the best of a range of candidates, each moved
    to its own optimum Σ w·q / Σ q² for its integers q. A row of zeros gets the smallest scale there is.
    """
    m = np.ones(weight.shape[1]) if importance is None else importance
    if bits == 1:
        return round_scale(np.asarray(_weighted_sum(np.abs(weight), m) / m.sum()), WEIGHT_SCALE_BITS)
    high = 2 ** (bits - 2) if powers else integer_range(bits, narrow)[1]
    largest = np.maximum(np.abs(weight).max(axis=1), _SMALLEST_SCALE)
    best_scale, best_error = largest / high, np.full(len(weight), np.inf)
    for fraction in np.geomspace(0.25, 1.25, _CANDIDATES):
        scale = largest * (fraction / high)
        q = _rounded(weight / scale[:, None], bits, narrow, powers)
        energy = _weighted_sum(q * q, m)
        scale = np.where(energy > 0, _weighted_sum(q * weight, m) / np.maximum(energy, _SMALLEST_SCALE), scale)
        scale = round_scale(scale, WEIGHT_SCALE_BITS)
        q = _rounded(weight / scale[:, None], bits, narrow, powers)
        error = _weighted_sum((q * scale[:, None] - weight) ** 2, m)
        better = error < best_error
        best_scale, best_error = np.where(better, scale, best_scale), np.where(better, error, best_error)
    return np.asarray(best_scale)


def _weighted_sum(rows: Floats, m: Floats) -> Floats:
    """Σ_i rows[o, i] · m[i]; not BLAS, whose order of summation depends on the number of threads."""
    return np.asarray(np.einsum("oi,i->o", rows, m))


@dataclass(frozen=True, eq=False)
class Rounded:
    """Values that a quantizer is to round to (q + shift) · step, low ≤ q ≤ high."""

    values: Floats
    low: int
    high: int
    shift: float = 0.0

    def error(self, step: float) -> float:
        """Mean squared error of rounding."""
        q = np.clip(np.rint(self.values / step - self.shift), self.low, self.high) + self.shift
        return float(np.mean((q * step - self.values) ** 2))

    def covering(self) -> float:
        """The smallest step with which no value is clipped (0 where all values are zero)."""
        above = max(float(self.values.max()), 0.0) / max(self.high + self.shift, 0.5)
        below = max(-float(self.values.min()), 0.0) / max(-(self.low + self.shift), 0.5) if self.low < 0 else 0.0
        return max(above, below)


def best_step(tensors: list[Rounded], bits: int | None = ACTIVATION_SCALE_BITS) -> tuple[float, float]:
    """One step for all `tensors`, of least summed mean squared error, and that error.

    Values beyond the range are clipped to it; the best step balances clipping the few largest values against rounding
    all others. The step has so many significant `bits`; None: it is not rounded.
    """
    thinned = [Rounded(_thinned(each.values.ravel()), each.low, each.high, each.shift) for each in tensors]
    largest = max(each.covering() for each in thinned)
    if largest <= 0:
        return 1.0, 0.0
    best, least = 1.0, np.inf
    for step in largest * np.geomspace(1.0, 1 / 64, _CANDIDATES):
        step = float(step) if bits is None else round_scale(float(step), bits)
        error = sum(each.error(step) for each in thinned)
        if error < least:
            best, least = step, error
    return best, least


def _thinned(values: Floats) -> Floats:
    """At most 2^16 of `values`, evenly taken, the extremes among them."""
    if values.size <= _MOST_VALUES:
        return values
    stride = -(-values.size // _MOST_VALUES)
    return np.concatenate([values[::stride], [values.min(), values.max()]])
