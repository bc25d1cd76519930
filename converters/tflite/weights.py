"""Integer weights and biases of a fully connected layer, with their scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .operators.tensor_info import TensorInfo

__all__ = [
    "LARGEST_SUM_OF_4_BITS",
    "QuantizedWeights",
    "accumulator_bound",
    "quantize_weights",
    "weight_scales",
]

Floats = npt.NDArray[np.float64]

_SMALLEST_SCALE = 1e-30
_FINEST_STEP = 2.0**-22
_BIAS_BITS = 29

LARGEST_SUM_OF_4_BITS = 2**27
"""LiteRT's XNNPACK (2.3) multiplies 4-bit weights and their bias by 16, in 32 bits: sums from here on wrap there."""


@dataclass(frozen=True, eq=False)
class QuantizedWeights:
    """Integers of a layer: weight int8 [outputs, inputs], bias int32 [outputs], scale float32 [outputs] or [1]."""

    weight: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    scale: npt.NDArray[np.float32]


def weight_scales(weight: Floats, bits: int, *, per_tensor: bool, powers_of_two: bool) -> Floats:
    """Scales [outputs] or [1] for symmetric integers of so many bits, −(2^(bits−1) − 1) … 2^(bits−1) − 1.

    With 8 bits the largest weight gets the largest integer; with fewer, the scale of least squared error is taken out
    of a search. Powers of two are searched among themselves.
    """
    rows = weight.reshape(1, -1) if per_tensor else weight
    largest = np.maximum(np.abs(rows).max(axis=1), _SMALLEST_SCALE)
    full = largest / (2 ** (bits - 1) - 1)
    if powers_of_two:
        candidates = 2.0 ** (np.ceil(np.log2(full))[:, None] - np.arange(3))
    elif bits == 8:
        return np.asarray(full, dtype=np.float64)
    else:
        candidates = full[:, None] * np.linspace(1.0, 0.35, 40)
    return _least_error(rows, candidates, bits)


def _least_error(rows: Floats, candidates: Floats, bits: int) -> Floats:
    """Per row, the candidate scale [rows, candidates] whose quantization has the least squared error."""
    high = 2 ** (bits - 1) - 1
    errors = np.empty(candidates.shape)
    for k in range(candidates.shape[1]):
        scale = candidates[:, k : k + 1]
        errors[:, k] = np.square(np.clip(np.rint(rows / scale), -high, high) * scale - rows).sum(axis=1)
    best: Floats = candidates[np.arange(len(rows)), errors.argmin(axis=1)]
    return best


def quantize_weights(
    weight: Floats, bias: Floats, scale: Floats, bits: int, source: TensorInfo, target: TensorInfo
) -> QuantizedWeights:
    """Integers for scales [outputs] or [1]; the bias has the scale input scale · weight scale.

    A scale is raised where its bias would not fit into 30 bits (with 4-bit weights, 26, for `LARGEST_SUM_OF_4_BITS`),
    and where the integers would be less than 2^−22 of an output step, as in a channel without weights.
    """
    bias_bits = _BIAS_BITS - 4 if bits == 4 else _BIAS_BITS
    finest = _FINEST_STEP * target.scale
    needed = np.maximum(np.abs(bias) / 2.0**bias_bits, finest) / source.scale
    if scale.size == 1:
        needed = needed.max(keepdims=True)
    # Doubling keeps a power of two one.
    while np.any(small := scale < needed):
        scale = np.where(small, scale * 2, scale)
    with np.errstate(over="ignore"):  # infinity is refused by the layer's name
        stored = scale.astype(np.float32)
    high = 2 ** (bits - 1) - 1
    integers = np.clip(np.rint(weight / stored.astype(np.float64)[:, None]), -high, high)
    bias_scale = np.float64(source.scale) * stored.astype(np.float64)
    return QuantizedWeights(integers.astype(np.int8), np.rint(bias / bias_scale).astype(np.int32), stored)


def accumulator_bound(quantized: QuantizedWeights, source: TensorInfo) -> npt.NDArray[np.int64]:
    """Largest |accumulator| of each output, over all inputs that `source` can hold."""
    weight = quantized.weight.astype(np.int64)
    low, high = source.low - source.zero_point, source.high - source.zero_point
    positive, negative = np.maximum(weight, 0).sum(axis=1), np.minimum(weight, 0).sum(axis=1)
    most = positive * high + negative * low + quantized.bias
    least = positive * low + negative * high + quantized.bias
    bound: npt.NDArray[np.int64] = np.maximum(np.abs(most), np.abs(least))
    return bound
