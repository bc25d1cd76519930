"""Weights that are powers of two: rounded to the nearest, alike in training and in the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeml.converters.quantized.model_file import BREVITAS_FILE
from edgeml.converters.quantized.scales import best_weight_scales, nearest_powers, quantize_weights
from edgeml.converters.quantized.straight_through import PowerWeights
from edgeml.network import Dense

from .random_mlps import data_of
from .test_converter import convert, plain_mlp, require_equal


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_powers_are_rounded_alike_in_training_and_in_the_network_to_the_nearest(bits: int) -> None:
    powers = np.array([0.0, *(2.0**k for k in range(bits - 1))])
    codes = np.concatenate([-powers[:0:-1], powers])
    ratio = np.linspace(-1.7, 1.7, 6001)[None] * powers[-1]
    distance = np.abs(ratio[0][:, None] - codes)
    q = nearest_powers(ratio, bits)
    assert np.array_equal(np.abs(ratio - q)[0], distance.min(axis=1))
    trained = PowerWeights.apply(
        torch.from_numpy(ratio * 0.5), torch.full((1, 1), 0.5, dtype=torch.float64), 2 ** (bits - 2)
    )
    assert np.array_equal(trained.numpy(), q * 0.5)
    ties = np.array([[0.5, -0.5, 1.5, 3.0, -6.0]])
    assert np.array_equal(nearest_powers(ties, 8), [[1, -1, 2, 4, -8]])


def test_a_weight_beyond_the_largest_power_learns_no_more_but_its_scale_does() -> None:
    x = torch.tensor([[0.4, 1.0, 5.9, 6.1, -9.0]], dtype=torch.float64, requires_grad=True)
    scale = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
    PowerWeights.apply(x, scale, 4).sum().backward()
    assert x.grad is not None
    assert scale.grad is not None
    assert x.grad.tolist() == [[1, 1, 1, 0, 0]]
    assert float(scale.grad) == pytest.approx((0 - 0.4) + (1 - 1.0) + (4 - 5.9) + 4 - 4)


@pytest.mark.parametrize("epochs", [0, 2])
@pytest.mark.parametrize(("bits", "largest"), [(2, 1), (3, 2), (5, 8), (8, 64)])
def test_weights_of_powers_are_shifts_and_reach_the_largest(bits: int, largest: int, epochs: int) -> None:
    mlp = plain_mlp((30, 40, 10))
    data = data_of(mlp, 0, 100)
    conversion = convert(mlp, data, weight_bits=bits, weight_range="powers", epochs=epochs, batch_size=16)
    layers = [node.layer for node in conversion.network.nodes if isinstance(node.layer, Dense)]
    assert len(layers) == 2
    for layer in layers:
        sizes = np.unique(np.abs(layer.weight))
        assert set(sizes) <= {0, *(1 << k for k in range(bits - 1))}
        assert sizes.max() == largest
    require_equal(conversion.network, conversion.files[BREVITAS_FILE], 4, 0)


def test_of_5_bits_powers_are_nearer_to_the_model_than_weights_of_2_bits() -> None:
    mlp = plain_mlp((30, 40, 10))
    data = data_of(mlp, 0, 300)
    error = {
        chosen: convert(mlp, data, weight_bits=bits, act_bits=8, weight_range=chosen, epochs=0).metrics["output_error"]
        for chosen, bits in (("powers", 5), ("narrow", 2))
    }
    assert error["powers"] < 0.5 * error["narrow"]


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_weights_that_are_powers_already_stay_as_they_are(bits: int) -> None:
    q = np.array([[0, 1, -1, *((-2) ** k for k in range(1, bits - 1))]], np.float64)
    scale = best_weight_scales(q * 0.375, bits, True, powers=True)
    assert np.array_equal(scale, [0.375])
    assert np.array_equal(quantize_weights(q * 0.375, scale, bits, True, powers=True), q)
