"""Eight-bit integers times one real factor, as kernels of functions of one number have it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network.rounding import quantize_multiplier, rescale

__all__ = ["scaled_integers", "xnnpack_takes"]

_LEAST, _MOST = 2.0**-8, 2.0**7
"""Between these XNNPACK takes a factor; others it leaves to the kernels that all have."""


def xnnpack_takes(factor: float) -> bool:
    """Whether XNNPACK has a kernel for the factor."""
    return _LEAST <= factor <= _MOST


def scaled_integers(x: npt.NDArray[np.int64], factor: float, rounding: str) -> npt.NDArray[np.int64]:
    """round(x · factor) for x int64, a factor ≥ 0.

    XNNPACK (`fp32_rne`) has factors of 8 fraction bits, round(256 · factor), and rounds ties up; all others have
    `double_rounding`.
    """
    if rounding == "fp32_rne" and xnnpack_takes(factor):
        found: npt.NDArray[np.int64] = (x * int(np.rint(np.float32(256) * np.float32(factor))) + 128) >> 8
        return found
    multiplier, shift = quantize_multiplier(factor)
    return rescale(x, multiplier.astype(np.int64), shift.astype(np.int64), "double_rounding")
