"""Integer weights: the largest accumulator that they can give."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.weights import (
    LARGEST_SUM_OF_4_BITS,
    QuantizedWeights,
    accumulator_bound,
    quantize_weights,
)


@pytest.mark.parametrize("zero_point", [-128, -3, 0, 127])
@pytest.mark.parametrize("bias", [0, 5000, -5000])
def test_the_bound_is_the_largest_magnitude_over_all_corners_of_the_input(zero_point: int, bias: int) -> None:
    """Either end may be the farther one: that of a negative bias, of negative weights, of an uneven zero point."""
    weight = np.array([[3, -7, 100], [-100, -90, 1], [127, 127, 127], [0, 0, 0]], np.int8)
    source = TensorInfo("x", 3, 0.125, zero_point)
    quantized = QuantizedWeights(weight, np.full(4, bias, np.int32), np.ones(4, np.float32))
    corners = np.array(list(product((source.low, source.high), repeat=3)), np.int64) - zero_point
    reached = np.abs(corners @ weight.T.astype(np.int64) + bias).max(axis=0)
    assert accumulator_bound(quantized, source).tolist() == reached.tolist()


@pytest.mark.parametrize(("bits", "largest"), [(8, 2**30), (4, LARGEST_SUM_OF_4_BITS), (2, 2**30)])
def test_a_bias_that_dwarfs_all_weights_stays_below_what_every_runtime_takes(bits: int, largest: int) -> None:
    """Of inputs near 1e6, say, with weights for what they differ by."""
    source, target = TensorInfo("x", 512, 1.0, 0), TensorInfo("y", 2, 1e4, 0)
    weight = np.full((2, 512), 1e-3)
    quantized = quantize_weights(weight, np.array([1e6, -3e5]), np.full(2, 1e-4), bits, source, target)
    bound = accumulator_bound(quantized, source)
    assert np.all(bound < largest)
    assert bound.max() > largest / 64
    assert quantized.scale == pytest.approx(np.array([1e6, 3e5]) / np.abs(quantized.bias), rel=1e-5)
