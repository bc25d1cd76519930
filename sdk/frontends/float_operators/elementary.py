"""exp, tanh, erf and their like in float64, the same to the last bit on every processor.

numpy and torch take these functions from the system's library or from vector code of their own, which round the last
bit by the processor that runs them. A threshold or a table must not depend on that. Here they are made of operations
that IEEE 754 defines to the last bit: sums, products, quotients, comparisons, rint and ldexp of numpy arrays. Each is
within a few units of the last place of the exact value.

The module stands for numpy in an `ArrayLibrary`: functions that are exact anyway (`abs`, `clip` …) are numpy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cos", "erf", "exp", "expm1", "log1p", "sigmoid", "sin", "tanh"]

Floats = npt.NDArray[np.float64]

_EXACT = frozenset(
    (
        "abs",
        "clip",
        "concatenate",
        "floor",
        "maximum",
        "minimum",
        "ones_like",
        "sign",
        "sqrt",
        "square",
        "stack",
        "where",
    )
)
_LN2 = 0.6931471805599453
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
"""ln 2 as a number of 32 bits, whose products with exponents are exact, and the rest."""
_EXP_TERMS = tuple(1.0 / factorial for factorial in np.cumprod([1, *range(1, 15)], dtype=np.float64))
_HALF_PI = 1.5707963267948966
_HALF_PI_PARTS = (1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624879595063154e-21)
_SMALL = 0.5
_FRACTIONS = 11
_ATANH_TERMS = 19
_ERF_ENDS = 6.0
"""1 − erf(6) = 2·10^−17: it rounds to 1."""


def __getattr__(name: str) -> Any:
    """numpy's function of that name, where it rounds nothing or as IEEE 754 says."""
    if name in _EXACT:
        return getattr(np, name)
    raise AttributeError(f"{name} is not computed alike on every processor")


def _horner(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """Σ coefficients[k] · x^k."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def exp(x: Any) -> Floats:
    """eˣ = 2^k · e^r with |r| ≤ ln 2 / 2, e^r by its series of 15 terms."""
    x = np.clip(np.asarray(x, np.float64), -746.0, 710.0)
    k = np.rint(x / _LN2)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(_horner(r, _EXP_TERMS), k.astype(np.int64)))


def tanh(x: Any) -> Floats:
    """Lambert's continued fraction x / (1 + x² / (3 + x² / (5 + …))) up to ½, beyond it (1 − e^−2x) / (1 + e^−2x)."""
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    near = np.minimum(size, _SMALL)
    below = np.full_like(size, 2.0 * _FRACTIONS + 1.0)
    for odd in range(2 * _FRACTIONS - 1, 0, -2):
        below = odd + near * near / below
    e = exp(-2.0 * size)
    return np.asarray(np.copysign(np.where(size <= _SMALL, near / below, (1.0 - e) / (1.0 + e)), x))


def sigmoid(x: Any) -> Floats:
    """1 / (1 + e^−x)."""
    return np.asarray(1.0 / (1.0 + exp(-np.asarray(x, np.float64))))


def expm1(x: Any) -> Floats:
    """eˣ − 1; up to |x| = ½ as 2t / (1 − t) with t = tanh(x / 2)."""
    x = np.asarray(x, np.float64)
    t = tanh(np.clip(x, -_SMALL, _SMALL) / 2.0)
    return np.where(np.abs(x) <= _SMALL, 2.0 * t / (1.0 - t), exp(x) - 1.0)


def log1p(x: Any) -> Floats:
    """ln(1 + x) for 0 ≤ x ≤ 1, as 2·artanh(x / (2 + x)) by its series; NaN for other x."""
    x = np.asarray(x, np.float64)
    z = x / (2.0 + x)
    series = _horner(z * z, tuple(1.0 / (2 * k + 1) for k in range(_ATANH_TERMS)))
    return np.where((x >= 0.0) & (x <= 1.0), 2.0 * z * series, np.nan)


def erf(x: Any) -> Floats:
    """erf x = 2/√π · e^−x² · x · Σ (2x²)^n / (1·3·5 … (2n+1)), whose terms are all positive."""
    x = np.asarray(x, np.float64)
    near = np.minimum(np.abs(x), _ERF_ENDS)
    twice = 2.0 * near * near
    term, total, n = np.ones_like(near), np.ones_like(near), 0
    # A term below 2^−60 of the sum changes no bit of it, nor do those behind, which are smaller.
    while np.any(term > total * 2.0**-60):
        n += 1
        term = term * (twice / (2.0 * n + 1.0))
        total = total + term
    value = 1.1283791670955126 * exp(-near * near) * near * total
    return np.asarray(np.copysign(np.where(near < _ERF_ENDS, np.minimum(value, 1.0), 1.0), x))


def _quarter(x: Floats) -> tuple[Floats, Floats, Floats]:
    """sin r, cos r and k mod 4 of x = k · π/2 + r, |r| ≤ π/4; for |x| up to 2^20."""
    k = np.rint(x / _HALF_PI)
    r = x
    for part in _HALF_PI_PARTS:
        r = r - k * part
    square = r * r
    signs = [(-1.0) ** n for n in range(10)]
    sine = r * _horner(square, tuple(s * _factorial(2 * n + 1) for n, s in enumerate(signs)))
    return sine, _horner(square, tuple(s * _factorial(2 * n) for n, s in enumerate(signs))), k - 4.0 * np.floor(k / 4.0)


def _factorial(n: int) -> float:
    """1 / n!"""
    return float(1.0 / np.prod(np.arange(1, n + 1, dtype=np.float64)))


def sin(x: Any) -> Floats:
    """sin x."""
    sine, cosine, turn = _quarter(np.asarray(x, np.float64))
    return np.asarray(np.where(turn % 2 == 0, sine, cosine) * np.where(turn >= 2, -1.0, 1.0))


def cos(x: Any) -> Floats:
    """cos x."""
    sine, cosine, turn = _quarter(np.asarray(x, np.float64))
    return np.asarray(np.where(turn % 2 == 0, cosine, sine) * np.where((turn == 1) | (turn == 2), -1.0, 1.0))
