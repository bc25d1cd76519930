"""Which way the inputs of a layer must go for its outputs to go a given way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..network.layer import Direction, Layer
from ..network.value_range import IntArray

__all__ = ["Direction", "wanted_inputs"]

_MOST_BITS = 20


def wanted_inputs(layer: Layer, direction: Direction, values: Sequence[IntArray] = ()) -> tuple[Direction, ...] | None:
    """`Layer.wanted_inputs`, or `wanted_inputs_at` the values [inputs] of each input where they are given, in integers
    below 2^20 in size: then a product with 8-bit weights is exact, in any order of summation. None for a kind of layer
    that cannot say it."""
    wanted = layer.wanted_inputs_at(direction, *values) if values else layer.wanted_inputs(direction)
    return None if wanted is None else tuple(_scaled(each) for each in wanted)


def _scaled(direction: Direction) -> Direction:
    """Divided by a power of two, toward zero, so that it is below 2^20 in size."""
    excess = int(np.abs(direction).max(initial=0)).bit_length() - _MOST_BITS
    return np.trunc(direction / (1 << excess)) if excess > 0 else direction
