"""Rate coding approximates a float MLP, better over more steps, in integers that run exactly."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.converters.spiking.rate import convert_rate
from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Clamp, Linear, Mlp, MlpNode, Sigmoid
from edgeml.network import argmax, network_file, simulate

from .trained import digits, trained_mlp


def silent(*_: object) -> None:
    return None


def test_accuracy_comes_near_the_float_models_and_grows_with_the_steps() -> None:
    conversion = convert_rate(trained_mlp(), digits(), {"encoding": "rate", "steps": 64}, silent)
    accuracy = conversion.metrics["accuracy"]
    assert accuracy["float"] > 0.93
    assert accuracy["integer"] > accuracy["float"] - 0.03
    over = conversion.metrics["over_steps"]
    assert over["steps"] == [1, 2, 4, 8, 16, 32, 64]
    assert over["accuracy"][0] < over["accuracy"][-1]
    assert over["accuracy"][-1] == accuracy["integer"]


def test_the_reported_accuracy_is_that_of_the_network_in_the_bundle() -> None:
    data = digits()
    conversion = convert_rate(trained_mlp(), data, {"steps": 16}, silent)
    again = network_file.from_bytes(network_file.to_bytes(conversion.network))
    found = argmax(simulate(again, again.quantizer.quantize(data.x_test)))
    assert float(np.mean(found == data.y_test)) == conversion.metrics["accuracy"]["integer"]


def test_it_admits_that_hidden_values_are_wrong() -> None:
    conversion = convert_rate(trained_mlp(), digits(), {"steps": 8}, silent)
    assert 0.02 < conversion.metrics["wrong_values"] < 0.6
    assert "wrong" in conversion.notes[0]


def test_a_residual_path_and_a_sigmoid_are_refused_by_name() -> None:
    data = as_dataset({"x": np.random.default_rng(0).random((9, 2))})
    eye = Linear(np.eye(2), np.zeros(2))
    residual = Mlp("m", 2, (MlpNode("a", eye, ("input",)), MlpNode("sum", Add(), ("a", "a"))))
    with pytest.raises(InputError, match=r"sum.*residual"):
        convert_rate(residual, data, {}, silent)
    layers = (MlpNode("a", eye, ("input",)), MlpNode("squash", Sigmoid(), ("a",)), MlpNode("b", eye, ("squash",)))
    smooth = Mlp("m", 2, layers)
    with pytest.raises(InputError, match=r"squash.*sigmoid"):
        convert_rate(smooth, data, {}, silent)


@pytest.mark.parametrize("options", [{"steps": 0}, {"steps": "many"}, {"percentile": 101}, {"weight_bits": True}])
def test_an_option_out_of_range_is_refused(options: dict) -> None:
    with pytest.raises(InputError, match="option"):
        convert_rate(trained_mlp(), digits(), options, silent)


def test_without_data_it_says_what_is_missing() -> None:
    mlp = Mlp(
        "m", 1, (MlpNode("a", Linear(np.ones((1, 1)), np.zeros(1)), ("input",)), MlpNode("r", Clamp(0, 1), ("a",)))
    )
    with pytest.raises(InputError, match="--data"):
        convert_rate(mlp, None, {}, silent)


@pytest.mark.parametrize("zeros", ["first", "last", "hidden dies", "data"])
def test_constant_networks_convert(zeros: str) -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(5, 4)), rng.normal(size=(3, 5))]
    biases = [rng.normal(size=5), rng.normal(size=3)]
    if zeros in ("first", "last"):
        weights[zeros == "last"][:] = 0
    if zeros == "hidden dies":
        weights[0][:], biases[0][:] = 0, -1
    nodes = (
        MlpNode("a", Linear(weights[0], biases[0]), ("input",)),
        MlpNode("r", Clamp(0, np.inf), ("a",)),
        MlpNode("b", Linear(weights[1], biases[1]), ("r",)),
    )
    mlp = Mlp("constant", 4, nodes)
    x = np.zeros((40, 4)) if zeros == "data" else rng.normal(size=(40, 4))
    conversion = convert_rate(mlp, as_dataset({"x": x}), {"steps": 64}, silent)
    if zeros != "first":
        assert conversion.metrics["agreement"] == 1
    network = conversion.network
    real = simulate(network, network.quantizer.quantize(x)) * network.output.scale
    assert np.abs(real - mlp.evaluate(x)).max() < 0.2 * max(1, np.abs(mlp.evaluate(x)).max())
