"""A normalisation at the model's head is in the file itself, in a form that every runtime applies; or it is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.fusion import fuse
from edgeml.converters.tflite.metadata import metadata_entry
from edgeml.converters.tflite.reader import own_metadata, read_model
from edgeml.converters.tflite.writer import write
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode
from edgeml.network import simulate
from edgeml.plugins import Conversion

SCALAR = (np.full(6, 127.5), np.full(6, 127.5))
PIXELS = (np.zeros(6), np.full(6, 255.0))
ALIKE = (np.array([0.0, 1.0, -1.0, 0.5, 2.0, 0.0]), np.array([1.0, 1.2, 0.8, 1.5, 1.0, 0.9]))
UNLIKE = (np.array([0.0, 9.8, 100.0, -3.0, 1e4, 0.0]), np.array([1.0, 2.0, 50.0, 0.5, 3e3, 1e-2]))


def normalised(mean: np.ndarray, std: np.ndarray, seed: int = 0) -> tuple[Mlp, np.ndarray]:
    """A model that begins with (x − mean) / std, and samples in the units that it takes."""
    generator = np.random.default_rng(seed)

    def linear(outputs: int, inputs: int) -> Linear:
        return Linear(generator.normal(0, 1 / np.sqrt(inputs), (outputs, inputs)), generator.normal(0, 0.2, outputs))

    nodes = (
        MlpNode("norm", Affine(1 / std, -mean / std), ("input",)),
        MlpNode("a", linear(24, 6), ("norm",)),
        MlpNode("b", Clamp(0.0, np.inf), ("a",)),
        MlpNode("c", linear(3, 24), ("b",)),
    )
    return Mlp("normal", 6, nodes), generator.normal(size=(500, 6)) * std + mean


def convert(mlp: Mlp, x: np.ndarray, **options: object) -> Conversion:
    return TfliteConverter().convert(mlp, Dataset(x, x[:100]), options, lambda *given: None)


def far(mlp: Mlp, conversion: Conversion, x: np.ndarray) -> float:
    """Largest error of the integer network, as a share of the span of the float model's outputs."""
    network, expected = conversion.network, mlp.evaluate(x)
    real = network.output.real(simulate(network, network.quantizer.quantize(x)))
    return float(np.abs(real - expected).max() / np.ptp(expected))


@pytest.mark.parametrize(
    "options",
    [{}, {"rounding": "shift"}, {"per_tensor": True}, {"rounding": "litert", "weight_bits": 4, "epochs": 2}],
    ids=str,
)
@pytest.mark.parametrize("kind", [SCALAR, PIXELS, ALIKE], ids=["scalar", "pixels", "alike"])
def test_a_scale_that_features_share_is_the_input_tensors(
    kind: tuple[np.ndarray, np.ndarray], options: dict[str, object]
) -> None:
    mlp, x = normalised(*kind)
    conversion = convert(mlp, x, **options)
    (content,) = conversion.files.values()
    model = read_model(content)
    first = model.tensors[model.input]
    quantizer = conversion.network.quantizer
    # What a receiver computes from the file's tensor alone is what the bundle's quantizer computes.
    received = np.clip(np.rint(x / first.scale) + first.zero_point, -128, 127)
    np.testing.assert_array_equal(received, quantizer.quantize(x))
    assert not model.float_input
    assert not quantizer.offset.any()
    assert far(mlp, conversion, x) < (0.2 if "weight_bits" in options or "rounding" in options else 0.05)


@pytest.mark.parametrize("rounding", ["double_rounding", "shift"])
def test_features_of_unlike_units_need_a_float_input_which_the_file_normalises(rounding: str) -> None:
    mlp, x = normalised(*UNLIKE)
    with pytest.raises(InputError, match=r"one scale \(here 74.*feature 5 spans.*--float-io"):
        convert(mlp, x, rounding=rounding)
    conversion = convert(mlp, x, rounding=rounding, float_io=True)
    (content,) = conversion.files.values()
    model = read_model(content)
    np.testing.assert_array_equal(model.input_offset, UNLIKE[0].astype(np.float32))
    np.testing.assert_array_equal(model.input_scale, UNLIKE[1].astype(np.float32))
    assert far(mlp, conversion, x) < (0.15 if rounding == "shift" else 0.05)


def test_a_float_input_takes_one_scale_by_quantize_alone() -> None:
    mlp, x = normalised(*SCALAR)
    (content,) = convert(mlp, x, float_io=True).files.values()
    model = read_model(content)
    assert model.float_input
    assert not model.input_offset.any()
    assert model.input_scale.tolist() == [1.0]


def test_an_offset_far_from_zero_leaves_an_int8_input_no_levels_and_is_refused() -> None:
    mlp, x = normalised(np.full(6, 1000.0), np.ones(6))
    with pytest.raises(InputError, match="--float-io"):
        convert(mlp, x)
    assert far(mlp, convert(mlp, x, float_io=True), x) < 0.05


def test_a_feature_that_float32_cannot_tell_apart_is_named() -> None:
    mlp, x = normalised(np.array([0, 0, 1e7, 0, 0, 0.0]), np.ones(6))
    with pytest.raises(InputError, match=r"feature 2.*float32"):
        convert(mlp, x, float_io=True)


def test_a_residual_path_from_a_normalised_input_needs_a_float_input() -> None:
    generator = np.random.default_rng(0)
    mean, std = SCALAR
    nodes = (
        MlpNode("norm", Affine(1 / std, -mean / std), ("input",)),
        MlpNode("a", Linear(generator.normal(size=(6, 6)), np.zeros(6)), ("norm",)),
        MlpNode("sum", Add(), ("a", "norm")),
        MlpNode("b", Linear(generator.normal(size=(3, 6)), np.zeros(3)), ("sum",)),
    )
    mlp = Mlp("residual", 6, nodes)
    x = generator.normal(size=(500, 6)) * std + mean
    with pytest.raises(InputError, match="something else than a linear layer"):
        convert(mlp, x)
    assert far(mlp, convert(mlp, x, float_io=True), x) < 0.06


def test_a_file_whose_normalisation_stands_in_metadata_alone_is_refused() -> None:
    mlp, x = normalised(*SCALAR)
    (content,) = convert(mlp, x).files.values()
    model = read_model(content)
    assert set(own_metadata(model.metadata)) == {"rounding", "model_hash", "guard_bits", "labels", "task", "threshold"}
    stated = metadata_entry({"input_offset": [127.5], "input_scale": [127.5]})
    with pytest.raises(InputError, match="no operator of the file applies"):
        read_model(write(replace(model, metadata=stated)))


def test_the_unit_of_the_input_is_a_power_of_two_so_that_training_sees_ordinary_numbers() -> None:
    from edgeml.converters.tflite.input_form import choose_input_form
    from edgeml.converters.tflite.options import parse_options

    mlp, x = normalised(*PIXELS)
    graph = choose_input_form(fuse(mlp), x, parse_options({}))
    assert graph.input_scale.tolist() == [256.0]
    before = fuse(mlp).trace(x)
    for name, values in graph.trace(x).items():
        if name != "input":
            np.testing.assert_allclose(values, before[name], rtol=1e-9, atol=1e-9)
    assert json.dumps(graph.input_offset.tolist()) == "[0.0]"
