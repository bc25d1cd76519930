"""A fully connected layer: a weighted sum."""

from __future__ import annotations

import numpy as np

from ...network.layers.dense import Dense
from ..statement import Affine

__all__ = ["statement"]


def statement(layer: Dense, channel: int) -> Affine:
    """Σ w · (x − z) + bias as a sum of x and one constant."""
    weight = layer.weight[channel].astype(np.int64)
    constant = int(layer.bias[channel]) - layer.input_zero_point * int(weight.sum())
    return Affine({(0, int(i)): int(weight[i]) for i in np.flatnonzero(weight)}, constant)
