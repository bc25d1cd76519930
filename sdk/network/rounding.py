"""The rounding rules of the int8 form: how an accumulator times a scale becomes an integer, bit for bit.

Every rule takes eff = m · 2^(s − 31), with a multiplier m below 2^31, and an int32 accumulator, and gives
round(acc · eff). They differ in what "round" means, and so do the runtimes that use them; each was compared with the
real thing over millions of outputs, and over accumulators chosen next to ties.

| name              | rule                                                                        |
|-------------------|-----------------------------------------------------------------------------|
| `double_rounding` | h = (acc·2^max(s,0)·m + 2^30) >> 31, then >> max(−s,0), ties away from zero  |
| `ruy_half_up`     | the same h, then (h + 2^(r−1)) >> r with r = max(−s,0): ties up              |
| `float64_away`    | acc·eff in float64, then to the nearest integer, ties away from zero         |
| `fp32_rne`        | float32(acc)·float32(eff) in float32, then to the nearest, ties to even      |
| `shift`           | eff = 2^−k: (acc + 2^(k−1)) >> k: ties up                                    |

A float32 factor has 24 significant bits and is such an m and s without loss. A float64 factor has 53: `float64_away`
takes 22 more as a fraction f, eff = (m + f·2^−22) · 2^(s − 31).

All five are computed on integers here. The two that are defined in floating point are emulated: the product of the
integers is exact, it is rounded to as many bits as the format's significand has, and then to an integer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError

__all__ = [
    "FRACTION_BITS",
    "LARGEST_SHIFT",
    "ROUNDINGS",
    "SMALLEST_SHIFT",
    "float32_parts",
    "float64_parts",
    "quantize_multiplier",
    "rescale",
]

ROUNDINGS = ("shift", "double_rounding", "float64_away", "fp32_rne", "ruy_half_up")
"""Names of the rules."""

SMALLEST_SHIFT, LARGEST_SHIFT = -31, 8
"""Bounds of `shift`: below, every product is zero; above, no int8 output is meaningful."""

FRACTION_BITS = 22
"""How many bits of a float64 factor lie behind its multiplier."""

_FLOAT32_BITS = 24

Int64 = npt.NDArray[np.int64]


def quantize_multiplier(eff: npt.ArrayLike) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """(multiplier, shift) of real factors eff ≥ 0, as the integer runtimes derive them from float64 scales.

    m, s = frexp(eff); m = round(m · 2^31), halved if that is 2^31. A factor below 2^−32 becomes 0.
    Raises NetworkError if a factor is negative, not finite or 2^8 and more.
    """
    values = np.atleast_1d(np.asarray(eff, dtype=np.float64))
    if not np.all(np.isfinite(values)) or np.any(values < 0) or np.any(values >= 2.0**LARGEST_SHIFT):
        raise NetworkError(
            "scale", f"a factor must lie in 0 … {2**LARGEST_SHIFT}, found {values.min()} … {values.max()}"
        )
    fraction, exponent = np.frexp(values)
    # Half away from zero, as C's round(): the fraction is not negative, and times 2^31 exact in float64.
    multiplier = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
    carried = multiplier == 2**31
    multiplier, shift = np.where(carried, 2**30, multiplier), exponent.astype(np.int64) + carried
    vanished = (shift < SMALLEST_SHIFT) | (multiplier == 0)
    return np.where(vanished, 0, multiplier).astype(np.int32), np.where(vanished, 0, shift).astype(np.int32)


def float32_parts(scale: npt.ArrayLike) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """(multiplier, shift) that equal float32 factors exactly: 24 significant bits fit into the multiplier."""
    return quantize_multiplier(np.asarray(scale, dtype=np.float32))


def float64_parts(
    eff: npt.ArrayLike,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """(multiplier, shift, fraction) that equal float64 factors 2^−32 ≤ eff < 2^8 exactly; smaller ones become 0."""
    values = np.atleast_1d(np.asarray(eff, dtype=np.float64))
    quantize_multiplier(values)
    fraction, exponent = np.frexp(values)
    whole = np.ldexp(fraction, 53).astype(np.int64)
    vanished = (exponent < SMALLEST_SHIFT) | (whole == 0)
    parts = whole >> FRACTION_BITS, exponent.astype(np.int64), whole & (2**FRACTION_BITS - 1)
    multiplier, shift, rest = (np.where(vanished, 0, part).astype(np.int32) for part in parts)
    return multiplier, shift, rest


def _bit_length(values: Int64) -> Int64:
    """Bits of values ≥ 0, below 2^63: exact, as frexp of the upper and the lower half is."""
    upper = values >> 31
    high = np.frexp(upper.astype(np.float64))[1]
    low = np.frexp((values & (2**31 - 1)).astype(np.float64))[1]
    return np.where(upper > 0, high + 31, low).astype(np.int64)


def _to_significand(magnitude: Int64, bits: int) -> Int64:
    """Non-negative integers rounded to so many significant bits, ties to even: what a float product keeps."""
    excess = np.maximum(_bit_length(magnitude) - bits, 0)
    half = (np.int64(1) << excess) >> 1
    kept = magnitude >> excess
    rest = magnitude - (kept << excess)
    up = (excess > 0) & ((rest > half) | ((rest == half) & (kept & 1 == 1)))
    rounded: Int64 = (kept + up) << excess
    return rounded


def _shifted(magnitude: Int64, right: Int64, ties_to_even: bool) -> Int64:
    """Non-negative magnitude · 2^−right, to the nearest integer, ties away from zero or to even; right ≥ 1, ≤ 62."""
    kept = magnitude >> right
    rest = magnitude - (kept << right)
    half = np.int64(1) << (right - 1)
    up = (rest > half) | ((rest == half) & ((kept & 1 == 1) | (not ties_to_even)))
    rounded: Int64 = kept + up
    return rounded


def _fixed_point(acc: Int64, multiplier: Int64, shift: Int64, half_up: bool) -> Int64:
    """`double_rounding` and `ruy_half_up`; acc · 2^shift fits 32 bits (`Requantize` sees to that)."""
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    high: Int64 = ((acc << left) * multiplier + 2**30) >> 31
    if half_up:
        half: Int64 = (np.int64(1) << right) >> 1
        return (high + half) >> right
    kept = high >> right
    rest = high - (kept << right)
    threshold = ((np.int64(1) << right) - 1 >> 1) + (high < 0)
    rounded: Int64 = kept + (rest > threshold)
    return rounded


def _float32_product(magnitude: Int64, multiplier: Int64) -> Int64:
    """float32(magnitude) · multiplier in float32, for multipliers of 24 significant bits."""
    return _to_significand(_to_significand(magnitude, _FLOAT32_BITS) * multiplier, _FLOAT32_BITS)


def _float64_product(magnitude: Int64, multiplier: Int64, fraction: Int64) -> Int64:
    """The integer part of magnitude · (multiplier + fraction · 2^−22), once that is rounded to 53 bits, ties to even.

    The product has up to 84 bits: `high` holds all but the last 22, `low` those.
    """
    behind = magnitude * fraction
    high = magnitude * multiplier + (behind >> FRACTION_BITS)
    low = behind & (2**FRACTION_BITS - 1)
    excess = np.maximum(_bit_length(high) + FRACTION_BITS - 53, 0)
    # Where no more than the last 22 bits are rounded, these can only carry one into the integer part.
    places = np.minimum(excess, FRACTION_BITS)
    half = (np.int64(1) << places) >> 1
    odd = (np.where(places < FRACTION_BITS, low, high << FRACTION_BITS) >> places) & 1
    carried = high + ((low + half - 1 + odd) >> places << places >> FRACTION_BITS)
    # Where more are, they only tell whether the rest of `high` is a tie.
    upper = np.maximum(excess - FRACTION_BITS, 0)
    half = (np.int64(1) << upper) >> 1
    kept = high >> upper
    rest = high - (kept << upper)
    up = (rest > half) | ((rest == half) & ((low > 0) | (kept & 1 == 1)))
    return np.where(excess == 0, high, np.where(upper == 0, carried, (kept + up) << upper))


def rescale(acc: Int64, multiplier: Int64, shift: Int64, rounding: str, fraction: Int64 | None = None) -> Int64:
    """acc [..., channels] · multiplier · 2^(shift − 31) as integers, by the rule of that name.

    Parameters
    ----------
    acc : int64, within the range of int32.
    multiplier, shift : int64, [channels] or [1]; 0 ≤ multiplier < 2^31, −31 ≤ shift ≤ 8.
    rounding : one of `ROUNDINGS`; NetworkError else. For `shift` every multiplier is 2^30: eff = 2^(shift − 1).
    fraction : int64 below 2^22, as many; for `float64_away` only, 0 if not given.
    """
    if rounding in ("double_rounding", "ruy_half_up"):
        return _fixed_point(acc, multiplier, shift, rounding == "ruy_half_up")
    if rounding == "shift":
        right = 1 - shift
        return (acc + ((np.int64(1) << right) >> 1)) >> right
    if rounding not in ROUNDINGS:
        raise NetworkError("rounding", f"{rounding!r} is not known", f"Known: {', '.join(ROUNDINGS)}")
    magnitude = np.abs(acc)
    if rounding == "fp32_rne":
        result = _shifted(_float32_product(magnitude, multiplier), 31 - shift, ties_to_even=True)
    else:
        product = _float64_product(magnitude, multiplier, np.zeros(1, np.int64) if fraction is None else fraction)
        result = _shifted(product, 31 - shift, ties_to_even=False)
    return np.where(acc < 0, -result, result)
