"""`--neurons logic` as a user meets it: what the network is made of, what it is worth, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import edgeml
from edgeml import plugins
from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Clamp, Linear, Mlp, MlpNode
from edgeml.network import Dense, Encode, InputQuantizer, Logic, decisions, simulate

FEATURES, CLASSES = 6, 3
QUICK = {"logic_widths": "30", "epochs": 60, "batch_size": 64}


@cache
def teacher() -> Mlp:
    """Its class is the largest of the sums of three pairs of features."""
    pairs = np.kron(np.eye(CLASSES), np.ones((1, 2)))
    nodes = (
        MlpNode("linear1", Linear(pairs, np.zeros(CLASSES)), ("input",)),
        MlpNode("relu", Clamp(0.0, np.inf), ("linear1",)),
        MlpNode("linear2", Linear(np.eye(CLASSES), np.zeros(CLASSES)), ("relu",)),
    )
    return Mlp("pairs", FEATURES, nodes)


@cache
def data(labels: bool = True) -> Dataset:
    x = np.random.default_rng(0).uniform(0, 4, (500, FEATURES)).astype(np.float32)
    y = teacher().decisions(teacher().evaluate(x))
    return Dataset(x[:300], x[300:], y[:300] if labels else None, y[300:])


def convert(mlp: Mlp, samples: Dataset | None, **options: Any) -> plugins.Conversion:
    return QuantizedConverter().convert(mlp, samples, {"neurons": "logic", **options}, lambda *_: None)


@cache
def converted() -> plugins.Conversion:
    return convert(teacher(), data(), **QUICK)


def test_the_network_is_bits_functions_and_sums() -> None:
    layers = [node.layer for node in converted().network.nodes]
    assert [type(layer) for layer in layers] == [InputQuantizer, Encode, Logic, Dense]
    assert isinstance(layers[2], Logic)
    assert isinstance(layers[3], Dense)
    assert layers[2].fan_in == 6
    assert set(np.unique(layers[3].weight)) == {0, 1, 2}
    assert layers[3].weight.sum(axis=1).tolist() == [15, 15, 15]


def test_it_learns_what_the_float_model_answers() -> None:
    metrics = converted().metrics
    assert metrics["agreement"] >= 0.68  # chance: 0.33
    assert metrics["accuracy"]["integer"] == pytest.approx(metrics["agreement"])


def test_without_labels_it_learns_from_the_float_model_alone() -> None:
    assert convert(teacher(), data(labels=False), **QUICK).metrics["agreement"] >= 0.68


def test_few_samples_are_learned_without_their_labels_and_five_hundred_with_them() -> None:
    few, enough = data().x[:200], np.tile(data().x, (2, 1))[:500]

    def sums(x: np.ndarray, labels: bool) -> np.ndarray:
        y = np.zeros(len(x), np.int64) if labels else None
        network = convert(teacher(), Dataset(x, data().x_test, y, None), logic_widths="30", epochs=8).network
        return simulate(network, network.quantizer.quantize(data().x_test))

    np.testing.assert_array_equal(sums(few, True), sums(few, False))
    assert not np.array_equal(sums(enough, True), sums(enough, False))


def test_few_functions_still_see_thirty_bits_of_the_features() -> None:
    network = convert(teacher(), data(), logic_widths="9", epochs=100, encode="all=thermometer:15").network
    assert 15 < network.sizes["encode"] <= 30


def test_the_same_seed_gives_the_same_network_and_another_one_another() -> None:
    options = {**QUICK, "epochs": 5}
    first, again, other = (convert(teacher(), data(), **options, seed=seed).network for seed in (3, 3, 4))
    q = np.random.default_rng(0).integers(0, 256, (200, FEATURES))
    np.testing.assert_array_equal(simulate(first, q), simulate(again, q))
    assert not np.array_equal(simulate(first, q), simulate(other, q))


def test_a_value_is_given_in_the_units_of_the_model() -> None:
    linear = Linear(np.array([[1.0, 2.0, 0.0, 0.0, 0.0, -1.0]]), np.array([50.0]))
    mlp = Mlp("value", FEATURES, (MlpNode("linear", linear, ("input",)),), task="values")
    samples = data()
    y = mlp.evaluate(samples.x)
    found = convert(mlp, Dataset(samples.x, samples.x_test, y, mlp.evaluate(samples.x_test)), **QUICK)
    assert found.metrics["r2"]["integer"] >= 0.6
    real = found.network.output.real(simulate(found.network, found.network.quantizer.quantize(samples.x)))
    assert abs(real.mean() - y.mean()) < 1.0


def test_a_binary_model_is_decided_at_the_middle_of_its_sum() -> None:
    linear = Linear(np.array([[1.0, 1.0, 0.0, -1.0, -1.0, 0.0]]), np.zeros(1))
    mlp = Mlp("sign", FEATURES, (MlpNode("linear", linear, ("input",)),), task="binary")
    samples = data()
    y, y_test = (mlp.decisions(mlp.evaluate(each)) for each in (samples.x, samples.x_test))
    network = convert(mlp, Dataset(samples.x, samples.x_test, y, y_test), **QUICK).network
    sums = simulate(network, network.quantizer.quantize(samples.x_test))
    assert network.output.threshold == 22
    assert np.mean(decisions(network, sums) == y_test) >= 0.85


def test_layers_inputs_weights_and_encodings_are_as_asked_for() -> None:
    network = convert(
        teacher(), data(), logic_widths="24,12", logic_inputs=3, logic_weights="1,2,4", encode="0-1=bits", epochs=3,
        input_bits=4,
    ).network  # fmt: skip
    first, second = (node.layer for node in network.nodes if isinstance(node.layer, Logic))
    assert (first.fan_in, second.fan_in, second.outputs) == (3, 3, 12)
    last = network.nodes[-1].layer
    assert isinstance(last, Dense)
    assert last.weight[0, :4].tolist() == [1, 2, 4, 1]
    encode = network.nodes[1].layer
    assert isinstance(encode, Encode)
    assert set(encode.rule[encode.source < 2].tolist()) <= {1}
    assert set(encode.rule[encode.source >= 2].tolist()) <= {2}


@pytest.mark.parametrize(
    ("options", "where", "problem"),
    [
        ({"bits": 2}, "option bits", "of weights and activations"),
        ({"layer_bits": "first=8"}, "option layer_bits", "of weights and activations"),
        ({"fan_in": 3}, "option fan_in", "of weights and activations"),
        ({"epochs": 0}, "option epochs", "must be trained"),
        ({"logic_widths": "31"}, "option logic_widths", "3 outputs cannot share"),
        ({"logic_widths": "30,x"}, "option logic_widths", "whole number"),
        ({"logic_inputs": 7}, "option logic_inputs", "2 … 6"),
        ({"logic_widths": "65535,65535,3"}, "option logic_widths", "possible wires"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(options: Mapping[str, Any], where: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        convert(teacher(), data(), **options)
    assert caught.value.where == where
    assert problem in caught.value.problem


def test_without_data_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="must be trained"):
        convert(teacher(), None, input_range="0,4")


def test_a_bundle_is_exact_in_c_and_says_that_brevitas_is_not_there(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(FEATURES, 8), torch.nn.ReLU(), torch.nn.Linear(8, CLASSES))
    bundle = edgeml.convert(
        module, to="quantized", data=data(), target="host", output=tmp_path / "out",
        options={"neurons": "logic", **QUICK, "epochs": 3},
    )  # fmt: skip
    found = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert "brevitas" not in found
    assert (found["golden"], found["native"]) == ("exact", "exact")
    assert any("Brevitas" in note for note in bundle.manifest["notes"])
