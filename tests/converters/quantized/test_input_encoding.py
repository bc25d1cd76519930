"""The option `encode`: the model's function is kept, levels learn, and what is wrong is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.level_steps import LevelSteps
from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from edgeml.frontends.float_operators.encode import BIT, Encode
from edgeml.frontends.mlp import Affine, Clamp, Linear, Mlp, MlpNode
from edgeml.input_encoding import encode_input, read_encodings
from edgeml.network import Network, simulate
from edgeml.plugins import Conversion


def _mlp(inputs: int, seed: int = 0, hidden: int = 7) -> Mlp:
    rng = np.random.default_rng(seed)
    nodes = (
        MlpNode("norm", Affine(rng.uniform(0.01, 0.1, inputs), rng.normal(size=inputs)), ("input",)),
        MlpNode("l1", Linear(rng.normal(size=(hidden, inputs)), rng.normal(size=hidden)), ("norm",)),
        MlpNode("relu", Clamp(0.0, np.inf), ("l1",)),
        MlpNode("l2", Linear(rng.normal(size=(3, hidden)), rng.normal(size=3)), ("relu",)),
    )
    return Mlp("model", inputs, nodes)


def _converted(mlp: Mlp, arrays: Mapping[str, Any], **options: Any) -> Conversion:
    return QuantizedConverter().convert(mlp, as_dataset(arrays), options, lambda *_: None)


def _kinds(network: Network) -> list[str]:
    return [node.layer.kind for node in network.layers]


@pytest.mark.parametrize(
    "how", ["all=bits", "all=table", "0-1=bits,3=table", "all=thermometer:255", "2=thermometer:255"]
)
def test_the_float_function_stays_as_it_was_on_whole_numbers(how: str) -> None:
    mlp = _mlp(5)
    x = np.random.default_rng(1).integers(0, 256, (3000, 5)).astype(np.float64)
    encoded, _ = encode_input(mlp, x, read_encodings(how), 8)
    assert any(node.operator.kind == "encode" for node in encoded.nodes)
    assert np.allclose(encoded.evaluate(x), mlp.evaluate(x), rtol=1e-9, atol=1e-9)


def test_features_of_other_units_are_put_on_a_grid_of_their_own() -> None:
    mlp = _mlp(3)
    rng = np.random.default_rng(2)
    x = rng.uniform([-3.0, 100.0, 5.0], [3.0, 900.0, 5.0], (2000, 3))
    encoded, _ = encode_input(mlp, x, read_encodings("all=bits"), 8)
    error = np.abs(encoded.evaluate(x) - mlp.evaluate(x)).max()
    assert error < np.abs(mlp.evaluate(x)).max() * 0.02
    quantizer = _converted(mlp, {"x": x}, encode="all=bits", bits=8, epochs=0).network.quantizer
    assert np.allclose(quantizer.scale[:2], (np.ptp(x, axis=0) / 255)[:2], rtol=0.01)


@pytest.mark.parametrize(
    ("how", "kinds"),
    [
        ("all=bits", ["encode", "dense", "threshold", "dense"]),
        ("all=thermometer:6", ["encode", "dense", "threshold", "dense"]),
        ("all=table", ["tables", "threshold", "dense"]),
        ("0-2=bits,3=table", ["encode", "dense", "tables", "add", "threshold", "dense"]),
    ],
)
def test_a_model_is_converted_with_encoded_inputs_and_brevitas_agrees(how: str, kinds: list[str]) -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 256, (300, 5)).astype(np.float64)
    found = _converted(_mlp(5), {"x": x, "y": x[:, 0].astype(np.int64) // 100}, encode=how, bits=2, epochs=2)
    assert sorted(_kinds(found.network)) == sorted(kinds)
    assert found.metrics["accuracy"]["brevitas"] == found.metrics["accuracy"]["integer"]


def test_entries_of_values_that_never_occur_share_a_row_with_the_nearest_that_do() -> None:
    rng = np.random.default_rng(4)
    x = rng.choice([3.0, 90.0, 200.0], (300, 2))
    network = _converted(_mlp(2), {"x": x}, encode="all=table", bits=8, epochs=0).network
    (tables,) = (node.layer for node in network.layers if node.layer.kind == "tables")
    assert len(tables.parts()[1]["entries"]) <= 6
    same = np.array([[0, 0], [3, 3], [46, 46], [255, 255], [200, 200]], np.int32)
    outputs = simulate(network, same)
    assert np.array_equal(outputs[0], outputs[1])
    assert np.array_equal(outputs[0], outputs[2])
    assert np.array_equal(outputs[3], outputs[4])


def test_the_gradient_of_a_level_takes_it_to_where_the_answers_change() -> None:
    import torch

    q = torch.arange(256.0)[:, None].repeat(1, 2)
    wanted = (q >= torch.tensor([200.0, 37.0])).float()
    levels = torch.tensor([120.0, 120.0], requires_grad=True)
    optimizer = torch.optim.Adam([levels], 2.0)
    for _ in range(300):
        found = LevelSteps.apply(q, levels, torch.tensor([30.0, 30.0]))
        optimizer.zero_grad()
        ((found - wanted) ** 2).sum().backward()
        optimizer.step()
    assert torch.allclose(levels.detach(), torch.tensor([200.0, 37.0]), atol=2.0)


def test_levels_are_learned_and_stay_whole_numbers_of_the_grid() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (1000, 3)).astype(np.float64)
    arrays = {"x": x, "y": (x[:, 0] >= 200).astype(np.int64) + (x[:, 1] >= 30)}
    operands = []
    for epochs in (0, 20):
        network = _converted(_mlp(3), arrays, encode="all=thermometer:3", bits=2, epochs=epochs).network
        (encode,) = (node.layer for node in network.layers if node.layer.kind == "encode")
        operands.append(encode.parts()[1]["operand"])
    assert np.any(operands[0] != operands[1])
    assert operands[1].min() >= 1
    assert operands[1].max() <= 255


def test_a_single_level_learns() -> None:
    x = np.random.default_rng(5).integers(0, 256, (300, 2)).astype(np.float64)
    arrays = {"x": x, "y": (x[:, 0] >= 128).astype(np.int64)}
    network = _converted(_mlp(2), arrays, encode="0=thermometer:1,1=bits", bits=2, epochs=2).network
    (encode,) = (node.layer for node in network.layers if node.layer.kind == "encode")
    assert 1 <= encode.parts()[1]["operand"][0] <= 255


def test_features_that_are_left_as_they_are_get_a_note() -> None:
    x = np.random.default_rng(6).integers(0, 256, (200, 5)).astype(np.float64)
    found = _converted(_mlp(5), {"x": x}, encode="0-3=bits", bits=8, epochs=0)
    assert any("1 of 5 features" in note for note in found.notes)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("all", "bits, thermometer:N or table"),
        ("all=hex", "bits, thermometer:N or table"),
        ("all=thermometer", "bits, thermometer:N or table"),
        ("all=bits:3", "bits, thermometer:N or table"),
        ("all=thermometer:0", "1 to 255 levels"),
        ("all=thermometer:256", "1 to 255 levels"),
        ("all=thermometer:99999999999", "1 to 255 levels"),
        ("x=bits", "must be all, or features"),
        ("5-3=bits", "down to"),
        ("-1=bits", "must be all, or features"),
        ("7=bits", "the model has 0 … 4"),
        ("all=bits,2=table", "names feature 2 twice"),
        ("", "must be text or a mapping"),
        (7, "must be text or a mapping"),
        ({"0": 3}, "bits, thermometer:N or table"),
    ],
)
def test_what_is_wrong_with_the_option_is_said(how: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        _converted(_mlp(5), {"x": np.zeros((20, 5))}, encode=how, bits=8, epochs=0)


def test_a_model_whose_input_no_linear_layer_takes_is_refused_by_name() -> None:
    nodes = (
        MlpNode("clip", Clamp(0.0, 1.0), ("input",)),
        MlpNode("l1", Linear(np.ones((2, 3)), np.zeros(2)), ("clip",)),
    )
    with pytest.raises(InputError, match="clip \\(clamp\\)"):
        _converted(Mlp("clipped", 3, nodes), {"x": np.random.default_rng(0).normal(size=(50, 3))}, encode="all=bits")


def _on_bits(values: int = 256) -> Mlp:
    bits = values.bit_length() - 1
    source, operand = np.repeat(np.arange(2.0), bits), np.tile(np.arange(float(bits)), 2)
    encode = Encode(source, np.full(2 * bits, float(BIT)), operand, 2, bits)
    linear = Linear(np.random.default_rng(0).normal(size=(3, 2 * bits)), np.zeros(3))
    return Mlp("bits", 2, (MlpNode("bits", encode, ("input",)), MlpNode("l1", linear, ("bits",))))


@pytest.mark.parametrize(("change", "warned"), [(0.0, False), (0.5, True), (-1.0, True), (200.0, True)])
def test_data_that_a_model_of_whole_numbers_cannot_take_apart_is_said_first(change: float, warned: bool) -> None:
    x = np.random.default_rng(1).integers(0, 256, (100, 2)).astype(np.float64)
    x[7, 1] = 3.0 + change if change != 200.0 else 300.0
    x[7, 1] = -1.0 if change == -1.0 else x[7, 1]
    notes = _converted(_on_bits(), {"x": x}, bits=8, epochs=0).notes
    assert any("1 of 80 samples" in note or "1 of 100 samples" in note for note in notes) == warned, notes


def test_options_that_a_model_leaves_no_choice_for_are_refused() -> None:
    x = np.random.default_rng(1).integers(0, 256, (100, 2)).astype(np.float64)
    with pytest.raises(InputError, match="takes its input as integers of 8 bits"):
        _converted(_on_bits(), {"x": x}, bits=8, epochs=0, input_bits=4)
    with pytest.raises(InputError, match="encodes its input itself"):
        _converted(_on_bits(), {"x": x}, bits=8, epochs=0, encode="all=bits")
