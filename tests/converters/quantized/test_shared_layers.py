"""Weights at several positions, quantized: the integers are Brevitas's, sums stay sums, zeros stay zeros."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.brevitas_network import BrevitasNetwork
from edgeml.converters.quantized.model import QuantizedModel
from edgeml.converters.quantized.model_file import BREVITAS_FILE, from_bytes, to_bytes
from edgeml.converters.spiking import SpikingConverter
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network, network_file, trace
from edgeml.network.layers.dense import Dense
from edgeml.network.layers.shared import Shared
from edgeml.network.layers.threshold import Threshold

from ...frontends.shared_models import SHARED, lively


def samples(shape: tuple[int, ...], count: int = 192) -> np.ndarray:
    generator = np.random.default_rng(len(shape))
    return generator.normal(size=(count, *shape)).astype(np.float32) + np.float32(0.3)


def read(name: str, model: nn.Module | None = None) -> tuple[Mlp, Dataset]:
    make, shape = SHARED[name]
    model = lively(make(), shape) if model is None else model
    x = samples(shape)
    with torch.no_grad():
        y = model(torch.from_numpy(x)).argmax(1).numpy()
    flat = x.reshape(len(x), -1)
    return load_model(model, example=x[:5]), Dataset(flat[:128], flat[128:], y[:128], y[128:])


def converted(mlp: Mlp, data: Dataset, **options: object) -> tuple[Network, QuantizedModel]:
    conversion = QuantizedConverter().convert(mlp, data, options, lambda *_: None)
    return conversion.network, from_bytes(conversion.files[BREVITAS_FILE])


def require_the_same_integers(network: Network, model: QuantizedModel) -> None:
    """Golden simulator and Brevitas agree at every node, on random integers and those at the ends of their range."""
    q = model.input
    generator = np.random.default_rng(0)
    x = generator.integers(q.low, q.high + 1, (96, q.size)).astype(np.int32)
    x[:2] = [[q.low], [q.high]]
    golden, found = trace(network, x), BrevitasNetwork(model).integers(x)
    assert {node.name for node in network.nodes} & set(found)
    for name, values in found.items():
        assert np.array_equal(golden[name], values), name


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("name", SHARED)
def test_the_integers_are_those_of_brevitas(name: str, bits: int) -> None:
    """With training (one pass) and without; the file that the bundle keeps holds the same model."""
    mlp, data = read(name)
    epochs = 1 if bits < 8 else 0
    network, model = converted(mlp, data, bits=bits, epochs=epochs)
    require_the_same_integers(network, model)
    again = from_bytes(to_bytes(model))
    assert to_bytes(again) == to_bytes(model)
    assert network_file.to_bytes(network_file.from_bytes(network_file.to_bytes(network))) == network_file.to_bytes(
        network
    )


def test_weights_are_shared_and_sums_are_sums() -> None:
    network, model = converted(*read("picture"), bits=4, epochs=1)
    shared = {node.name: node.layer for node in network.nodes if isinstance(node.layer, Shared)}
    shapes = {
        name: [layer.weight.shape for layer in found.chain if isinstance(layer, Dense)]
        for name, found in shared.items()
    }
    assert [shape for found in shapes.values() for shape in found] == [(8, 9), (1, 4), (16, 72), (1, 4)]
    for name, found in shared.items():
        dense = found.chain[0]
        assert isinstance(dense, Dense)
        if name.startswith("pool"):
            assert np.all(dense.weight == 1)
        else:
            assert name in {node.name for node in model.nodes}


def test_weights_between_groups_stay_zero() -> None:
    """They take part in no training step and no rounding; 1-bit weights, which have no 0, are refused."""
    mlp, data = read("sensor")
    _, model = converted(mlp, data, bits=8, act_bits=2, epochs=100, batch_size=32)
    grouped = next(node.operator for node in model.nodes if node.name == "conv_4")
    kept = mlp.linears["conv_4"].kept
    assert kept is not None
    assert kept.sum() == 8 * 3
    assert np.all(grouped.weight[kept == 0] == 0)  # type: ignore[union-attr]
    assert np.any(grouped.weight[kept == 1] != 0)  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"layer conv_4: has weights of 1 bit.*groups") as caught:
        converted(mlp, data, weight_bits=1, act_bits=2, epochs=1)
    assert "conv_4=2" in caught.value.remedy


def test_padding_is_the_integer_zero() -> None:
    """Signed activations of 2 bits usually stand for half steps, with which nothing is 0."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv1d(2, 4, 3, padding=1),
        nn.Hardtanh(),
        nn.Conv1d(4, 4, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24, 3),
    ).eval()
    x = samples((2, 6))
    y = np.arange(len(x)) % 3
    flat = x.reshape(len(x), -1)
    mlp = load_model(model, example=x[:5])
    network, found = converted(mlp, Dataset(flat[:128], flat[128:], y[:128], y[128:]), bits=2, epochs=1)
    assert any(isinstance(node.layer, Threshold) and node.layer.base < 0 for node in network.nodes)
    require_the_same_integers(network, found)


def test_channels_whose_batch_norms_are_negative() -> None:
    """Rows are negated where that is alike at all positions; a scale for each position needs a layer of its own."""
    model = lively(SHARED["sensor"][0](), (3, 12))
    with torch.no_grad():
        model[1].weight[::2] *= -1
    require_the_same_integers(*converted(*read("sensor", model), bits=4, epochs=0))

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv1d(2, 3, 3), nn.Linear(12, 3)
            self.register_buffer("scale", torch.tensor([1.0, -2.0, 0.5, -1.0]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.relu(self.conv(x) * self.scale).flatten(1))  # type: ignore[no-any-return, operator]

    x = samples((2, 6))
    flat, y = x.reshape(len(x), -1), np.arange(len(x)) % 3
    torch.manual_seed(0)
    network, found = converted(load_model(Scaled().eval(), example=x[:5]), Dataset(flat, flat, y, y), bits=4, epochs=0)
    require_the_same_integers(network, found)


def test_features_of_unlike_units_are_normalised_by_channel() -> None:
    """A convolution sees each channel at several times: one unit for all of them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
    with torch.no_grad():
        model[0].weight[:, 0] *= 1e-3
    x = samples((2, 6)) * np.array([1000.0, 1.0], np.float32)[:, None]
    with torch.no_grad():
        y = model(torch.from_numpy(x)).argmax(1).numpy()
    flat = x.reshape(len(x), -1)
    mlp = load_model(model, example=x[:5])
    conversion = QuantizedConverter().convert(mlp, Dataset(flat, flat, y, y), {"bits": 8}, lambda *_: None)
    assert any("units differ" in note for note in conversion.notes)
    scale = conversion.network.quantizer.scale
    assert len(np.unique(scale)) == 2
    assert conversion.metrics["accuracy"]["integer"] > 0.95


def test_forms_without_such_layers_refuse_them_by_name() -> None:
    mlp, data = read("sensor")
    with pytest.raises(InputError, match="found shared_linear") as caught:
        SpikingConverter().convert(mlp, data, {"encoding": "rate"}, lambda *_: None)
    assert caught.value.remedy
