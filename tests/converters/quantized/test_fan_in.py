"""Neurons of few inputs: the option, the bits of their weights, what training and calibration keep, and exact zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml import plugins
from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.fan_in import read_fan_in, strongest
from edgeml.converters.quantized.fan_in_selection import FanInSelection
from edgeml.converters.quantized.model_file import BREVITAS_FILE
from edgeml.errors import InputError
from edgeml.frontends.mlp import Linear, Mlp, MlpNode
from edgeml.network import Dense, Network, network_file

from .random_mlps import Shape, data_of, mlp_of, shapes
from .test_converter import plain_mlp, require_equal

BITS = st.integers(1, 8)


def convert(mlp: Mlp, **options: Any) -> plugins.Conversion:
    return QuantizedConverter().convert(mlp, data_of(mlp, 0, 120), {"batch_size": 24, **options}, lambda *_: None)


def layers_of(network: Network) -> dict[str, Dense]:
    return {node.name: node.layer for node in network.nodes if isinstance(node.layer, Dense)}


def fan_ins(network: Network) -> dict[str, int]:
    """Of each layer the most inputs that a neuron has."""
    return {name: int((layer.weight != 0).sum(axis=1).max()) for name, layer in layers_of(network).items()}


def weight_bits(network: Network) -> list[int]:
    return [layer.weight_bits for layer in layers_of(network).values()]


@pytest.mark.parametrize("epochs", [0, 3])
@pytest.mark.parametrize("bits", [1, 2, 8])
def test_no_neuron_has_more_inputs_than_the_option_says(bits: int, epochs: int) -> None:
    network = convert(plain_mlp(), bits=bits, epochs=epochs, fan_in="3,linear2=5,last=2").network
    found = fan_ins(network)
    assert found["linear1"] <= 3
    assert found["linear2"] <= 5
    assert found["linear3"] <= 2
    assert all(layer.weight_bits >= 2 for layer in layers_of(network).values())
    if bits == 8:
        assert list(found.values()) == [3, 5, 2]


def test_all_means_no_limit_and_a_layer_of_fewer_inputs_has_none() -> None:
    mlp = plain_mlp()
    dense = convert(mlp, bits=3, epochs=2)
    for option in ("16", 16, "12,first=all", {"": 8, "linear1": 12, "linear2": "all", "last": "8"}):
        limited = convert(mlp, bits=3, epochs=2, fan_in=option)
        if option == "12,first=all":
            assert fan_ins(limited.network)["linear2"] == 12
            assert fan_ins(limited.network)["linear1"] > 3
        else:
            assert network_file.to_bytes(limited.network) == network_file.to_bytes(dense.network)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("0", "option fan_in: must be a whole number in 1 … 1048576, or all, found '0'"),
        ("-3", "must be a whole number"),
        ("six", "must be a whole number"),
        ("", "must be a whole number"),
        (2.5, "must be a whole number"),
        (True, "must be a whole number"),
        ("3,last=", "fan_in, last: must be a whole number"),
        ("3,=4", "cannot read"),
        ("3,4", "says twice what holds for all layers"),
        ("last=3,last=4", "twice"),
        ("last=3,linear3=4", "names the layer linear3 twice"),
        ("nothing=4", "nothing: is not a linear layer.*linear1, linear2, linear3; also first and last"),
        ({"last": None}, "last: must be a whole number"),
        ([3], "must be a whole number"),
    ],
)
def test_wrong_limits_are_named(option: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert(plain_mlp(), fan_in=option)


def test_a_number_as_text_is_that_number_in_the_manifest() -> None:
    (option,) = (each for each in QuantizedConverter.options if each.name == "fan_in")
    assert option.read("6") == 6
    assert option.read("6,last=24") == "6,last=24"
    assert read_fan_in(6) == {"": 6}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"fan_in": 3, "act_bits": 2, "input_bits": 2}, [4, 4, 4]),
        ({"fan_in": 3, "act_bits": 2, "input_bits": 3}, [2, 4, 4]),
        ({"fan_in": "6,last=7", "act_bits": 1, "input_bits": 1}, [4, 4, 2]),
        ({"fan_in": 6, "act_bits": 1, "encode": "all=bits"}, [4, 4, 4]),
        ({"fan_in": 6, "act_bits": 1, "encode": "0-3=bits"}, [2, 4, 4]),
        ({"fan_in": 6, "act_bits": 1, "input_bits": 1, "weight_bits": 1}, [2, 2, 2]),
        ({"fan_in": 6, "act_bits": 1, "input_bits": 1, "layer_bits": "linear2=3/1"}, [4, 3, 4]),
        ({"fan_in": 6, "act_bits": 1, "input_bits": 1, "bits": 8}, [8, 8, 8]),
        ({"fan_in": "linear2=2", "act_bits": 3, "input_bits": 1}, [2, 4, 2]),
    ],
)
def test_weights_that_cost_nothing_in_a_table_have_four_bits(options: dict[str, Any], expected: list[int]) -> None:
    conversion = convert(plain_mlp(), **{"bits": 2, "epochs": 0, **options})
    assert weight_bits(conversion.network) == expected
    noted = [note for note in conversion.notes if "is one table of an FPGA" in note]
    widened = [name for name, bits in zip(layers_of(conversion.network), expected, strict=True) if bits == 4]
    assert noted == [] if not widened else f"weights of {', '.join(widened)} have 4 bits" in noted[0]


def test_without_training_a_note_says_how_many_weights_are_lost_and_pruned_models_lose_none() -> None:
    mlp = plain_mlp()
    noted = "\n".join(convert(mlp, epochs=0, fan_in="4,last=all").notes)
    assert f"{8 * 15 + 12 * 8} weights of linear1, linear2 became 0" in noted  # a row of linear1 is zeros: its gamma is
    assert "were not trained" not in "\n".join(convert(mlp, epochs=1, fan_in=4).notes)
    pruned = Mlp("pruned", 12, tuple(_pruned(node) for node in mlp.nodes))
    conversion = convert(pruned, epochs=0, fan_in=4)
    assert "were not trained" not in "\n".join(conversion.notes)
    dense = convert(pruned, epochs=0)
    for name, layer in layers_of(conversion.network).items():
        np.testing.assert_array_equal(layer.weight, layers_of(dense.network)[name].weight)


def _pruned(node: MlpNode) -> MlpNode:
    if not isinstance(node.operator, Linear):
        return node
    weight = node.operator.weight
    return MlpNode(node.name, Linear(np.where(strongest(abs(weight), 4), weight, 0), node.operator.bias), node.inputs)


def test_calibration_keeps_the_products_of_most_power() -> None:
    """Input 0 is ten times input 1: its weight counts ten times as much."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) * np.array([10.0, 1.0, 1.0])
    mlp = Mlp("m", 3, (MlpNode("a", Linear(np.array([[0.5, 1.0, 0.9]]), np.zeros(1)), ("input",)),))
    data = plugins_data(x)
    network = QuantizedConverter().convert(mlp, data, {"fan_in": 1, "epochs": 0}, lambda *_: None).network
    assert np.flatnonzero(layers_of(network)["a"].weight[0]).tolist() == [0]


def plugins_data(x: np.ndarray) -> Any:
    from edgeml.data.dataset import Dataset

    return Dataset(x.astype(np.float32), x[:5].astype(np.float32))


def test_of_equal_weights_the_first_stay() -> None:
    np.testing.assert_array_equal(strongest(np.ones((2, 5)), 2), [[True, True, False, False, False]] * 2)


class TestSelection:
    def counts(self, total: int, limit: int = 3, inputs: int = 40) -> list[int]:
        selection, latent = FanInSelection({"a": limit}), {"a": torch.randn(2, inputs)}
        found = []
        for done in range(total):
            selection.advance(latent, done, total)
            found.append(int((selection.kept("a", latent["a"]) != 0).sum(dim=1).max()))
        return found

    def test_the_number_of_inputs_falls_from_all_to_the_limit_between_5_and_60_percent(self) -> None:
        found = self.counts(1000)
        assert found[:50] == [40] * 50
        assert found[600:] == [3] * 400
        assert sorted(found, reverse=True) == found
        assert found[325] == 3 + round(37 * 0.5**3)
        assert 3 < found[440] < found[190] < 40

    def test_few_steps_are_enough(self) -> None:
        assert self.counts(5)[-1] == 3
        selection, latent = FanInSelection({"a": 3}), {"a": torch.randn(2, 9)}
        selection.settle(latent)
        assert int((selection.kept("a", latent["a"]) != 0).sum()) == 6

    def test_a_dropped_weight_returns_while_the_choice_is_open_and_not_after(self) -> None:
        selection, latent = FanInSelection({"a": 2}), {"a": torch.tensor([[4.0, 3.0, 2.0, 1.0]])}
        selection.advance(latent, 590, 1000)
        assert selection.kept("a", latent["a"]).tolist() == [[4.0, 3.0, 0.0, 0.0]]
        latent["a"][0, 3] = 9.0
        selection.advance(latent, 600, 1000)
        assert selection.kept("a", latent["a"]).tolist() == [[4.0, 0.0, 0.0, 9.0]]
        latent["a"][0, 2] = 99.0
        selection.advance(latent, 610, 1000)
        selection.settle(latent)
        assert selection.kept("a", latent["a"]).tolist() == [[4.0, 0.0, 0.0, 9.0]]

    def test_what_is_dropped_learns_as_if_it_were_there(self) -> None:
        selection, weight = FanInSelection({"a": 1}), torch.tensor([[4.0, 3.0]], requires_grad=True)
        selection.settle({"a": weight})
        (selection.kept("a", weight) * torch.tensor([[5.0, 7.0]])).sum().backward()
        assert weight.grad is not None
        torch.testing.assert_close(weight.grad, torch.tensor([[5.0, 7.0]]))

    def test_layers_without_a_limit_are_left_alone(self) -> None:
        selection, latent = FanInSelection({"a": 2}), {"b": torch.randn(3, 3)}
        latent["a"] = torch.randn(3, 3)
        selection.settle(latent)
        assert selection.kept("b", latent["b"]) is latent["b"]


@settings(max_examples=25)
@given(shapes(), BITS, BITS, BITS, st.integers(1, 9), st.sampled_from([0, 2]))
def test_random_mlps_of_few_inputs_give_one_network_of_integers(
    shape: Shape, weight: int, act: int, inputs: int, fan_in: int, epochs: int
) -> None:
    mlp = mlp_of(shape)
    bits = {"weight_bits": weight, "act_bits": act, "input_bits": inputs}
    conversion = convert(mlp, **bits, epochs=epochs, fan_in=fan_in)
    require_equal(conversion.network, conversion.files[BREVITAS_FILE], 4, shape.seed)
    for name, found in fan_ins(conversion.network).items():
        assert found <= fan_in, name


def test_random_shapes_are_deterministic() -> None:
    mlp = mlp_of(Shape((12, 16, 8, 4), ("relu", "relu"), ("before", "after"), (False, False), False, "", 3))
    once, again = (network_file.to_bytes(convert(mlp, bits=2, epochs=3, fan_in=3).network) for _ in range(2))
    assert once == again
