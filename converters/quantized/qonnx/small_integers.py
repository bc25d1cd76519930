"""Integer layers and float64 numbers out of weights, signs, clamps and fractions that are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.network import Dense
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.shared import Shared

__all__ = ["MOST_WEIGHT", "clip_table", "floats", "signed", "weight_bits"]

MOST_WEIGHT = 128
"""One more than the largest weight."""
_MOST_CLIPPED = 2**10


def weight_bits(weight: npt.NDArray[np.int64]) -> int:
    """The fewest bits that hold all weights; 1 where all are −1 or 1."""
    if np.all(np.abs(weight) == 1):
        return 1
    low, high = int(weight.min()), int(weight.max())
    return max(int(-low - 1).bit_length() if low < 0 else 0, int(high).bit_length()) + 1 if low < -1 or high > 0 else 2


def signed(layer: Dense | Shared, signs: Any, bias: Any, where: str) -> Dense | Shared:
    """`layer` with its rows times `signs` and other biases, both for each of its outputs, alike at all positions."""
    signs, bias = np.asarray(signs), np.asarray(bias)
    if not layer.expands:
        return _dense(cast(Dense, layer).weight.astype(np.int64) * signs, bias, where)
    layer = cast(Shared, layer)
    dense = cast(Dense, layer.chain[0])
    shape = layer.positions, len(dense.weight)
    signs, bias = (np.broadcast_to(each.reshape(-1), (shape[0] * shape[1],)).reshape(shape) for each in (signs, bias))
    if np.any(signs != signs[0]) or np.any(bias != bias[0]):
        raise InputError(where, "is scaled by numbers of different signs, or shifted, from position to position")
    inner = _dense(dense.weight.astype(np.int64) * signs[0][:, None], bias[0], where)
    return Shared((inner,), layer.gather, layer.inputs, layer.padding)


def _dense(weight: npt.NDArray[Any], bias: npt.NDArray[Any], where: str) -> Dense:
    if weight.max() >= MOST_WEIGHT:
        raise InputError(where, "a weight of −128 meets a negative scale", "Use narrow weights")
    return Dense(weight.astype(np.int32), weight_bits(weight), np.broadcast_to(bias, (len(weight),)))


def clip_table(responses: Sequence[ClampedLine], low: int, high: int) -> Lookup | None:
    """The integers low … high clipped where the lines are, if all are alike, rise, and bend at integers; else None."""
    first = responses[0]
    if first.slope <= 0 or any(each != first for each in responses) or high - low >= _MOST_CLIPPED:
        return None
    ends: list[Fraction | None] = [
        None if end is None else (end - first.offset) / first.slope for end in (first.low, first.high)
    ]
    if ends == [None, None] or any(end is not None and end.denominator != 1 for end in ends):
        return None
    least, most = (given if end is None else int(end) for end, given in zip(ends, (low, high), strict=True))
    return Lookup(np.clip(np.arange(low, high + 1), least, most).astype(np.int32), low) if least < most else None


def floats(values: Sequence[Fraction]) -> npt.NDArray[np.float64]:
    """One number where all are the same."""
    distinct = set(values)
    return np.array([float(value) for value in (distinct if len(distinct) == 1 else values)])
