"""The converter as a user meets it: options, data, metrics, notes, names, and equality at every layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml import plugins
from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.brevitas_network import BrevitasNetwork
from edgeml.converters.quantized.model_file import BREVITAS_FILE, from_bytes
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError, MissingTool
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode
from edgeml.network import Dense, Network, Threshold, trace
from tests.sweeps import cases

from .obvious_reference import obvious_integers
from .random_mlps import Shape, data_of, mlp_of, shapes

RELU = Clamp(0.0, np.inf)


def convert(mlp: Mlp, data: Dataset | None, **options: Any) -> plugins.Conversion:
    return QuantizedConverter().convert(mlp, data, options, lambda *_: None)


def plain_mlp(widths: tuple[int, ...] = (12, 16, 8, 4), seed: int = 0) -> Mlp:
    hidden = len(widths) - 2
    return mlp_of(Shape(widths, ("relu",) * hidden, ("before",) * hidden, (False,) * hidden, False, "", seed))


def require_equal(network: Network, model_bytes: bytes, samples: int, seed: int) -> None:
    """Golden, Brevitas in float64 and rational arithmetic, at every layer, on random integers."""
    model = from_bytes(model_bytes)
    low, high = network.quantizer.low, network.quantizer.high
    q = np.random.default_rng(seed).integers(low, high + 1, (samples, network.input_size))
    golden, brevitas, obvious = trace(network, q), BrevitasNetwork(model).integers(q), obvious_integers(model, q)
    for name, integers in obvious.items():
        np.testing.assert_array_equal(golden[name], integers, err_msg=name)
        np.testing.assert_array_equal(brevitas[name], integers, err_msg=name)


BITS = st.integers(1, 8)


@settings(max_examples=50)
@given(
    shapes(), BITS, BITS, BITS, st.sampled_from(["narrow", "full", "powers"]), st.booleans(), st.sampled_from([0, 0, 2])
)
def test_random_mlps_give_one_network_of_integers(
    shape: Shape, weight: int, act: int, inputs: int, weight_range: str, pixels: bool, epochs: int
) -> None:
    mlp = mlp_of(shape)
    given_bits = {"weight_bits": weight, "act_bits": act, "input_bits": inputs}
    conversion = convert(
        mlp, data_of(mlp, 1, 48, pixels), **given_bits, weight_range=weight_range, epochs=epochs, batch_size=16
    )
    require_equal(conversion.network, conversion.files[BREVITAS_FILE], 4, shape.seed)
    assert conversion.network.output_size == mlp.output_size
    for node in conversion.network.nodes:
        assert not isinstance(node.layer, Dense) or node.layer.weight_bits in (weight, 2)
        assert not isinstance(node.layer, Threshold) or node.layer.levels in (2**act - 1, 2**inputs - 1, 255)


@pytest.mark.slow(scaled=True)
@settings(max_examples=cases(400))
@given(
    shapes(24, 6),
    BITS,
    BITS,
    BITS,
    st.sampled_from(["narrow", "full", "powers"]),
    st.booleans(),
    st.sampled_from([0, 3]),
)
def test_many_random_mlps_give_one_network_of_integers(
    shape: Shape, weight: int, act: int, inputs: int, weight_range: str, pixels: bool, epochs: int
) -> None:
    mlp = mlp_of(shape)
    given_bits = {"weight_bits": weight, "act_bits": act, "input_bits": inputs}
    conversion = convert(
        mlp, data_of(mlp, 1, 48, pixels), **given_bits, weight_range=weight_range, epochs=epochs, batch_size=16
    )
    require_equal(conversion.network, conversion.files[BREVITAS_FILE], 3, shape.seed)


@pytest.mark.slow(scaled=True)
@settings(max_examples=cases(12))
@given(shapes(300, 6), st.integers(1, 8), st.integers(1, 8))
def test_wide_random_mlps_are_equal_in_brevitas_and_golden(shape: Shape, weight: int, act: int) -> None:
    mlp = mlp_of(shape)
    conversion = convert(mlp, data_of(mlp, 1, 120), weight_bits=weight, act_bits=act, epochs=0)
    model, network = from_bytes(conversion.files[BREVITAS_FILE]), conversion.network
    low, high = network.quantizer.low, network.quantizer.high
    q = np.random.default_rng(0).integers(low, high + 1, (400, network.input_size))
    golden = trace(network, q)
    for name, integers in BrevitasNetwork(model).integers(q).items():
        np.testing.assert_array_equal(golden[name], integers, err_msg=name)


def test_layers_are_named_after_the_model_and_bits_are_as_asked() -> None:
    mlp = plain_mlp()
    network = convert(mlp, data_of(mlp, 0), bits=2, epochs=0, layer_bits="first=8,linear2=4/3").network
    assert [node.name for node in network.nodes] == [
        "input",
        "linear1",
        "linear1_act",
        "linear2",
        "linear2_act",
        "linear3",
    ]
    layers = {node.name: node.layer for node in network.nodes}
    assert [layers[name].weight_bits for name in ("linear1", "linear2", "linear3")] == [8, 4, 2]  # type: ignore[attr-defined]
    assert [layers[name].levels for name in ("linear1_act", "linear2_act")] == [255, 7]  # type: ignore[attr-defined]


def test_one_layer_can_feed_several_chains_of_unlike_slopes() -> None:
    """One linear layer behind three activations, one of them turned round: its weights are there in both signs."""
    rng = np.random.default_rng(0)

    def linear(outputs: int, inputs: int) -> Linear:
        return Linear(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))

    nodes = (
        MlpNode("a", linear(6, 5), ("input",)),
        MlpNode("relu", RELU, ("a",)),
        MlpNode("clamp", Clamp(-1.0, 1.0), ("a",)),
        MlpNode("turned", Affine(np.array([-1.0, 2.0, 0.0, -0.5, 1.0, -3.0]), np.ones(6)), ("clamp",)),
        MlpNode("sum", Add(), ("relu", "turned")),
        MlpNode("twice", Add(), ("sum", "sum")),
        MlpNode("b", linear(6, 6), ("twice",)),
        MlpNode("c", linear(6, 6), ("a",)),
        MlpNode("both", Add(), ("b", "c")),
        MlpNode("end", RELU, ("both",)),
    )
    mlp = Mlp("m", 5, nodes)
    for options in ({"bits": 2}, {"bits": 8}, {"bits": 4, "weight_range": "full"}, {"bits": 1}):
        conversion = convert(mlp, data_of(mlp, 0), **options, epochs=0)
        require_equal(conversion.network, conversion.files[BREVITAS_FILE], 12, 1)
        first, *others = [node.layer for node in conversion.network.nodes if node.name in ("a", "a_negated")]
        assert isinstance(first, Dense)
        assert len(others) == 1
    assert convert(mlp, data_of(mlp, 0)).metrics["output_error"] < 0.05


def test_a_single_output_answers_by_its_sign() -> None:
    mlp = plain_mlp((12, 8, 1))
    unlabelled = data_of(mlp, 0, 120)
    y, y_test = ((mlp.evaluate(x)[:, 0] > 0).astype(np.int64) for x in (unlabelled.x, unlabelled.x_test))
    data = Dataset(unlabelled.x, unlabelled.x_test, y, y_test)
    with pytest.raises(InputError, match="holds classes, and the model's task is values"):
        convert(mlp, data)
    conversion = convert(replace(mlp, task="binary"), data)
    assert conversion.network.task == "binary"
    assert conversion.metrics["accuracy"]["float"] == 1.0
    assert conversion.metrics["accuracy"]["integer"] > 0.95


def test_names_of_any_kind_become_identifiers() -> None:
    rng = np.random.default_rng(0)
    nodes = (
        MlpNode("0.weight", Linear(rng.normal(size=(4, 3)), np.zeros(4)), ("input",)),
        MlpNode("0 weight", RELU, ("0.weight",)),
        MlpNode("größe", Linear(rng.normal(size=(2, 4)), np.zeros(2)), ("0 weight",)),
    )
    mlp = Mlp("7 nets!", 3, nodes)
    conversion = convert(mlp, data_of(mlp, 0), bits=3, epochs=0)
    assert all(node.name.isidentifier() and node.name.isascii() for node in conversion.network.nodes)
    assert from_bytes(conversion.files[BREVITAS_FILE]).name == conversion.network.name


def test_metrics_say_float_brevitas_and_integer_accuracy_and_agreement() -> None:
    mlp = plain_mlp()
    unlabelled = data_of(mlp, 0, 200)
    y, y_test = (mlp.evaluate(x).argmax(axis=1) for x in (unlabelled.x, unlabelled.x_test))
    data = Dataset(unlabelled.x, unlabelled.x_test, y, y_test, ("a", "b", "c", "d"))
    conversion = convert(mlp, data)
    accuracy = conversion.metrics["accuracy"]
    assert accuracy["float"] == 1.0
    assert accuracy["brevitas"] == accuracy["integer"] == conversion.metrics["agreement"] > 0.9
    assert conversion.network.output.labels == ("a", "b", "c", "d")
    assert conversion.metrics["epochs"] == 0
    without = convert(mlp, unlabelled)
    assert "accuracy" not in without.metrics
    assert without.metrics["agreement"] > 0.9
    assert without.metrics["output_error"] < 0.1


def test_training_reports_progress_with_loss_and_accuracy() -> None:
    mlp, calls = plain_mlp(), []

    def progress(stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        calls.append((stage, done, total, dict(values)))

    data = data_of(mlp, 0, 200)
    labelled = Dataset(data.x, data.x_test, mlp.evaluate(data.x).argmax(axis=1))
    QuantizedConverter().convert(mlp, labelled, {"bits": 2, "epochs": 5, "batch_size": 32}, progress)
    assert calls[-1][:3] == ("training", 25, 25)
    assert {"loss", "accuracy"} <= set(calls[-1][3])
    QuantizedConverter().convert(mlp, data, {"bits": 2, "epochs": 1}, progress)
    assert set(calls[-1][3]) == {"loss"}


def test_no_epochs_means_calibration_at_8_bits_and_training_below() -> None:
    mlp = plain_mlp()
    data = data_of(mlp, 0, 60)
    assert convert(mlp, data).metrics["epochs"] == 0
    note = convert(mlp, data, bits=4, epochs=0).notes[0]
    assert "without training" in note
    assert "4 bits" in note


def test_without_data_a_range_is_needed_and_only_calibration_is_possible() -> None:
    mlp = plain_mlp()
    with pytest.raises(InputError, match=r"--data.*input_range"):
        convert(mlp, None)
    conversion = convert(mlp, None, input_range="-2,2")
    assert "not known" in conversion.notes[0]
    assert conversion.metrics == {"epochs": 0}
    quantizer = conversion.network.quantizer
    q = quantizer.quantize(np.array([[-2.0] * 12, [2.0] * 12]))
    np.testing.assert_allclose(quantizer.dequantize(q), [[-2.0] * 12, [2.0] * 12], atol=0.05)
    with pytest.raises(InputError, match="below 4 bits"):
        convert(mlp, None, input_range=(-2, 2), bits=2)
    with pytest.raises(InputError, match="training needs data"):
        convert(mlp, None, input_range=(-2, 2), epochs=3)


def test_features_of_any_unit_use_the_whole_range_of_integers() -> None:
    """Temperatures about 300 beside currents of microamperes: by the model's own normalisation, or from the data."""
    rng = np.random.default_rng(0)
    unit, mean = np.array([1e-6, 1.0, 2e4]), np.array([5e-6, 300.0, 0.0])
    x = rng.normal(size=(400, 3)) * unit + mean
    inner = Linear(rng.normal(size=(8, 3)), rng.normal(size=8))
    tail = (
        MlpNode("relu", RELU, ("linear1",)),
        MlpNode("linear2", Linear(rng.normal(size=(3, 8)), np.zeros(3)), ("relu",)),
    )
    normalised = Mlp(
        "m",
        3,
        (MlpNode("norm", Affine(1 / unit, -mean / unit), ("input",)), MlpNode("linear1", inner, ("norm",)), *tail),
    )
    raw = Linear(inner.weight / unit, inner.bias - (inner.weight / unit) @ mean)
    unnormalised = Mlp("m", 3, (MlpNode("linear1", raw, ("input",)), *tail))
    for mlp, noted in ((normalised, False), (unnormalised, True)):
        conversion = convert(mlp, Dataset(x[:300], x[300:]))
        q = conversion.network.quantizer.quantize(x)
        assert np.all(np.ptp(q, axis=0) > 150)
        assert conversion.metrics["output_error"] < 0.05
        assert any("units" in note for note in conversion.notes) == noted


def test_binary_weights_are_bipolar_and_full_range_uses_the_lowest_integer() -> None:
    mlp = plain_mlp((30, 40, 10))
    data = data_of(mlp, 0, 100)
    binary = convert(mlp, data, weight_bits=1, epochs=0).network.nodes[1].layer
    assert isinstance(binary, Dense)
    assert set(np.unique(binary.weight)) == {-1, 1}
    for weight_range, lowest in (("narrow", -1), ("full", -2)):
        layer = convert(mlp, data, weight_bits=2, weight_range=weight_range, epochs=0).network.nodes[1].layer
        assert isinstance(layer, Dense)
        assert layer.weight.min() == lowest


def test_by_default_2_bit_weights_have_the_full_range_but_on_bits_and_on_few_samples() -> None:
    mlp = plain_mlp((30, 40, 10))
    few, enough = data_of(mlp, 0, 500 * 3 // 2 - 3), data_of(mlp, 0, 500 * 3 // 2)

    def lowest(data: Dataset = enough, **options: Any) -> list[int]:
        layers = [node.layer for node in convert(mlp, data, epochs=0, **options).network.nodes]
        return [int(layer.weight.min()) for layer in layers if isinstance(layer, Dense)]

    assert lowest(bits=2) == [-2, -2]
    assert lowest(few, bits=2) == [-1, -1]
    assert lowest(few, bits=2, weight_range="full") == [-2, -2]
    assert lowest(bits=2, act_bits=1) == [-2, -1]
    assert lowest(bits=2, encode="all=thermometer:3") == [-1, -2]
    assert min(lowest(bits=4)) == -7
    assert lowest(bits=2, weight_range="narrow") == [-1, -1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 0}, "bits: must be a whole number in 1 … 8, found 0"),
        ({"bits": 9}, "bits"),
        ({"bits": "two"}, "bits"),
        ({"bits": True}, "bits"),
        ({"act_bits": 2.5}, "act_bits"),
        ({"layer_bits": "linear1"}, "layer_bits"),
        ({"layer_bits": "nothing=4"}, "nothing.*linear1, linear2, linear3; also first and last"),
        ({"layer_bits": "linear1=4,linear1=2"}, "twice"),
        ({"layer_bits": "linear1=4/2/1"}, "layer_bits"),
        ({"layer_bits": {"linear1": 99}}, "layer_bits"),
        ({"layer_bits": 4}, "layer_bits"),
        ({"weight_range": "wide"}, "one of narrow, full, powers"),
        ({"input_range": "1"}, "LOW,HIGH"),
        ({"input_range": "1,1"}, "low < high"),
        ({"input_range": "0,nan"}, "number"),
        ({"epochs": -1}, "epochs"),
        ({"seed": -1}, "seed"),
        ({"device": "tpu"}, "cpu or cuda"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    mlp = plain_mlp()
    with pytest.raises(InputError, match=message):
        convert(mlp, data_of(mlp, 0), **options)


def test_layer_bits_can_be_a_mapping_with_one_side_left_alone() -> None:
    mlp = plain_mlp()
    layers = convert(mlp, data_of(mlp, 0), bits=4, epochs=0, layer_bits={"linear1": (2, None), "last": 8}).network.nodes
    assert [node.layer.weight_bits for node in layers if isinstance(node.layer, Dense)] == [2, 4, 8]
    assert [node.layer.levels for node in layers if isinstance(node.layer, Threshold)] == [15, 15]


def test_data_that_does_not_fit_is_refused() -> None:
    mlp = plain_mlp()
    with pytest.raises(InputError, match="5 features"):
        convert(mlp, Dataset(np.ones((9, 5)), np.ones((2, 5))))
    data = data_of(mlp, 0)
    with pytest.raises(InputError, match="class 4"):
        convert(mlp, Dataset(data.x, data.x_test, np.full(len(data.x), 4)))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_is_refused_where_there_is_none() -> None:
    mlp = plain_mlp()
    with pytest.raises(MissingTool, match="no CUDA device"):
        convert(mlp, data_of(mlp, 0), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_on_cuda_gives_an_exact_network() -> None:
    mlp = plain_mlp()
    conversion = convert(mlp, data_of(mlp, 0), bits=2, epochs=3, device="cuda")
    require_equal(conversion.network, conversion.files[BREVITAS_FILE], 8, 0)


def test_extreme_numbers_end_in_a_network_or_a_clear_error() -> None:
    rng, refused = np.random.default_rng(0), []
    for factor in (1e-40, 1e-12, 1e12, 1e30):
        for position in range(3):
            weights = [rng.normal(size=(6, 5)), rng.normal(size=(6, 6)), rng.normal(size=(3, 6))]
            biases = [rng.normal(size=6), rng.normal(size=6), rng.normal(size=3)]
            weights[position] = weights[position] * factor
            nodes = (
                MlpNode("a", Linear(weights[0], biases[0]), ("input",)),
                MlpNode("a_relu", RELU, ("a",)),
                MlpNode("b", Linear(weights[1], biases[1]), ("a_relu",)),
                MlpNode("b_relu", RELU, ("b",)),
                MlpNode("c", Linear(weights[2], biases[2]), ("b_relu",)),
            )
            mlp = Mlp("m", 5, nodes)
            for epochs in (0, 2):
                try:
                    conversion = convert(mlp, data_of(mlp, 0), bits=3, epochs=epochs)
                except InputError as error:
                    refused.append((factor, epochs))
                    assert "float32" in str(error)  # noqa: PT017
                else:
                    require_equal(conversion.network, conversion.files[BREVITAS_FILE], 2, 0)
    assert set(refused) <= {(1e30, 2)}


def test_constant_data_and_two_samples_are_enough() -> None:
    mlp = plain_mlp()
    for x in (np.zeros((4, 12)), np.ones((2, 12)), np.full((3, 12), -7.5)):
        for epochs in (0, 2):
            conversion = convert(mlp, Dataset(x, x[:1]), bits=2, epochs=epochs)
            require_equal(conversion.network, conversion.files[BREVITAS_FILE], 2, 0)
