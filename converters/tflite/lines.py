"""A scale and shift of each value as a linear layer of its own, where no other can take it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.frontends.float_operators.weights import Weights

__all__ = ["line"]

_MOST_CHANNELS = 256
"""A diagonal of more weights is not written."""


def line(scale: npt.NDArray[np.float64], shift: npt.NDArray[np.float64], own: bool = False) -> Weights | None:
    """x · scale + shift [size] of x [size], as one small layer at many positions if scale and shift repeat.

    With `own`, as a layer with weights for each value, where these are not too many. None where they are, and cannot be
    less.
    """
    size = scale.size
    if own and size <= _MOST_CHANNELS:
        return Linear(np.diag(scale), shift.copy())
    for channels in range(1, min(size, _MOST_CHANNELS) + 1):
        if size % channels:
            continue
        rows = scale.reshape(-1, channels), shift.reshape(-1, channels)
        if all(np.all(each == each[0]) for each in rows):
            source = np.arange(size, dtype=np.float64).reshape(-1, channels)
            return SharedLinear(np.diag(rows[0][0]), rows[1][0].copy(), source, size, channels)
    return None
