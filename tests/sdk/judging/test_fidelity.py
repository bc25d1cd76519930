"""The rule on integers far from the float model: it sees them, names the layer at fault, and `strict` refuses them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeml
from benchmarks.fidelity import EXTREMES, case, cases, outcome
from edgeml import plugins
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed
from edgeml.frontends.mlp import Affine, Clamp, FloatOperator, Linear, Mlp, Tanh
from edgeml.judging import fidelity

from ... import sweeps
from ..float_chains import RELU, chain, linear


def measured(form: str, mlp: Mlp, x: np.ndarray, **options: object) -> fidelity.Fidelity:
    data = Dataset(x[: len(x) * 4 // 5], x[len(x) * 4 // 5 :])
    given = {"epochs": 0, **options}
    conversion = plugins.converters(form).convert(mlp, data, given, lambda *progress: None)
    assert conversion.reference is not None
    return fidelity.measure(conversion.reference, fidelity.samples(conversion.network, data))


def test_no_extreme_network_is_far_without_a_word_that_names_the_layer() -> None:
    found = [(one.what, each) for _, one, each in cases(20, 40)]
    assert not [what for what, each in found if each.silent]
    assert len({extreme for what, _ in found for extreme in what.split(" and ")}) > len(EXTREMES) // 2
    near = [each for _, each in found if not each.far and not each.refused]
    assert sum(each.far for _, each in found) >= 3
    assert sum(bool(each.note) for each in near) < len(near) / 2


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize(("form", "bits"), [("tflite", 8), ("quantized", 8), ("tflite", 4), ("quantized", 2)])
def test_no_extreme_network_of_many_is_far_without_a_word(form: str, bits: int) -> None:
    for seed in sweeps.seeds(0, 500 if bits == 8 else 100):
        found = outcome(form, case(seed, form), bits)
        assert not found.silent, (form, seed, found)


def unlike(rng: np.random.Generator, activation: FloatOperator) -> Mlp:
    """12 channels of which 11 vary by a thousandth of the twelfth, and count as much behind; `activation` is bounded,
    so that nothing evens them out."""
    first, second = linear(rng, 12, 8), linear(rng, 4, 12)
    factors = np.array([2.0, *[1e-3] * 11])
    weight = np.where(np.arange(12) == 0, 0.01, 1.0) * second.weight / factors
    hidden = [Linear(first.weight * factors[:, None], first.bias * factors), activation]
    return chain(linear(rng, 8, 6), RELU, *hidden, Linear(weight, second.bias), inputs=6)


FAULTS = [
    ("tflite", "dense1", Clamp(-1.0, 1.0)),
    ("tflite", "dense1", Tanh()),
    ("quantized", "n2", Clamp(-1.0, 1.0)),
]


@pytest.mark.parametrize(("form", "layer", "activation"), FAULTS)
def test_the_hidden_layer_whose_channels_are_lost_is_named(form: str, layer: str, activation: FloatOperator) -> None:
    rng = np.random.default_rng(3)
    found = measured(form, unlike(rng, activation), rng.normal(size=(300, 6)))
    assert not found.within
    assert found.layer == layer
    assert "11 of 12 channels vary by less than a step" in found.note
    assert "batch norm" in found.note


@pytest.mark.parametrize("form", ["tflite", "quantized"])
def test_the_same_channels_behind_a_relu_are_near(form: str) -> None:
    rng = np.random.default_rng(3)
    found = measured(form, unlike(rng, RELU), rng.normal(size=(300, 6)))
    assert found.within
    assert found.note == ""


def test_outputs_of_unlike_sizes_are_the_last_layers_fault() -> None:
    rng = np.random.default_rng(0)
    last = linear(rng, 3, 8)
    mlp = chain(linear(rng, 8, 6), RELU, Linear(last.weight * [[1e6], [1], [1]], last.bias), inputs=6)
    found = measured("tflite", mlp, rng.normal(size=(300, 6)))
    assert (found.within, found.layer) == (False, "dense1")
    assert found.error < 0.2
    assert found.agreement is not None
    assert found.agreement < 0.9
    assert "2 of 3 channels" in found.note
    assert "all outputs share one scale" in found.note


def test_biases_that_drown_what_varies_are_named() -> None:
    rng = np.random.default_rng(1)
    first, second = linear(rng, 8, 6), linear(rng, 4, 8)
    behind = Linear(second.weight - second.weight.mean(axis=1, keepdims=True), second.bias)
    mlp = chain(Linear(first.weight, first.bias + 1e4), RELU, behind, inputs=6)
    found = measured("tflite", mlp, rng.normal(size=(300, 6)))
    assert (found.within, found.layer) == (False, "dense0")
    assert "far from zero" in found.note


def test_a_layer_that_needs_a_finer_input_is_named() -> None:
    rng = np.random.default_rng(2)
    first = linear(rng, 8, 6)
    steep = Linear(first.weight * np.where(np.arange(8) == 3, 1e5, 1.0)[:, None], first.bias)
    found = measured("tflite", chain(steep, Tanh(), linear(rng, 3, 8), inputs=6), rng.normal(size=(300, 6)))
    assert (found.within, found.layer) == (False, "input")
    assert "moves channel 3 of layer" in found.note, found.note


def test_a_sample_far_from_all_others_is_the_inputs_fault() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 6))
    x[7] *= 1e4
    found = measured("tflite", chain(linear(rng, 8, 6), RELU, linear(rng, 4, 8), inputs=6), x, calibration="minmax")
    assert (found.within, found.layer) == (False, "input")
    assert "a sample reaches" in found.note


@pytest.mark.parametrize("form", ["tflite", "quantized"])
def test_features_of_any_unit_are_near(form: str) -> None:
    rng = np.random.default_rng(4)
    units = 10 ** rng.uniform(-3, 6, 10)
    first, x = linear(rng, 16, 10), rng.normal(size=(300, 10)) * units
    x[:, 3] = 2 * units[3]  # constant here: its unit cannot be told from the data
    mlp = chain(Linear(first.weight / units, first.bias), RELU, linear(rng, 4, 16), inputs=10)
    found = measured(form, mlp, x)
    assert (found.within, found.note) == (True, "")


@pytest.mark.parametrize("size", [1e-25, 1e-12, 1e-9, 1e20])
@pytest.mark.parametrize("form", ["tflite", "quantized"])
def test_layers_of_any_size_are_near_and_equal_to_brevitas(form: str, size: float) -> None:
    """Below 1e-10 Brevitas had no scale; in float32 the product of two small scales is none."""
    rng = np.random.default_rng(3)
    first, second, x = linear(rng, 8, 6), linear(rng, 3, 8), rng.normal(size=(200, 6))
    hidden = chain(
        Linear(first.weight * size, first.bias * size), RELU, Linear(second.weight / size, second.bias), inputs=6
    )
    assert measured(form, hidden, x).note == ""
    assert measured(form, chain(first, RELU, Linear(second.weight * size, second.bias * size), inputs=6), x).note == ""


def test_a_model_that_gives_one_answer_is_told_with_the_layer_from_which_on() -> None:
    rng = np.random.default_rng(5)
    first, second = linear(rng, 8, 6), linear(rng, 8, 8)
    mlp = chain(first, RELU, Linear(second.weight * 1e-30, second.bias), RELU, linear(rng, 3, 8), inputs=6)
    found = measured("tflite", mlp, rng.normal(size=(300, 6)))
    assert (found.within, found.layer) == (True, "dense1")
    assert "one answer for all samples" in found.note
    same = np.repeat(rng.normal(size=(1, 6)), 50, axis=0)
    assert measured("tflite", chain(first, inputs=6), same).layer == "input"


def test_few_bits_explain_more_and_say_so() -> None:
    """Two bits without training: beyond 20 % and 90 %, told with the layer; and beyond what two bits explain, too."""
    rng = np.random.default_rng(6)
    mlp, x = chain(linear(rng, 24, 16), RELU, linear(rng, 4, 24), inputs=16), rng.normal(size=(400, 16))
    found = {bits: measured("quantized", mlp, x, bits=bits) for bits in (2, 4, 8)}
    assert [found[bits].bits for bits in (2, 4, 8)] == [2, 4, 8]
    assert found[8].note == ""
    assert found[8].error < found[4].error < found[2].error
    assert found[2].note
    assert found[2].layer


def test_values_are_held_to_each_outputs_own_spread() -> None:
    """Outputs a millionth of the largest are lost in int8: no matter for classes' spread, all of them for values."""
    rng = np.random.default_rng(0)
    last, x = linear(rng, 3, 8), rng.normal(size=(300, 6))
    mlp = chain(linear(rng, 8, 6), RELU, Linear(last.weight * [[1e6], [1], [1]], last.bias), inputs=6)
    conversion = plugins.converters("tflite").convert(mlp, Dataset(x, x), {}, lambda *progress: None)
    reference, network = conversion.reference, conversion.network
    assert reference is not None
    values = replace(network, output=replace(network.output, task="values"))
    found = fidelity.measure(replace(reference, network=values), x)
    assert found.agreement is None
    assert found.error > 0.4
    assert fidelity.measure(reference, x).error < 0.1


def test_without_data_the_range_given_is_measured_on() -> None:
    rng = np.random.default_rng(9)
    mlp = chain(linear(rng, 8, 6), RELU, linear(rng, 3, 8), inputs=6)
    options = {"input_range": "-1,1", "bits": 8}
    conversion = plugins.converters("quantized").convert(mlp, None, options, lambda *progress: None)
    x = fidelity.samples(conversion.network, None)
    assert x.shape == (1024, 6)
    assert np.abs(x).max() <= 1.01
    assert conversion.reference is not None
    assert fidelity.measure(conversion.reference, x).within


def far_model() -> tuple[object, np.ndarray]:
    """A torch module whose last layer has one row a million times the others, and samples."""
    import torch

    rng = np.random.default_rng(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(size=tuple(parameter.shape))))
        module[2].weight[0] *= 1e6
    return module, rng.normal(size=(200, 6)).astype(np.float32)


def test_convert_says_it_first_and_strict_leaves_nothing(tmp_path: Path) -> None:
    module, x = far_model()
    bundle = edgeml.convert(module, to="tflite", target="host", data={"x": x}, output=tmp_path / "told", name="far")
    assert bundle.manifest["notes"][0].startswith("WARNING: The integers are far from the float model")
    assert bundle.manifest["metrics"]["fidelity"]["within"] is False
    assert json.loads((tmp_path / "told" / "bundle.json").read_text())["metrics"]["fidelity"]["layer"] == "dense1"
    assert "Far from the float model." in (tmp_path / "told" / "report.html").read_text()
    with pytest.raises(CheckFailed, match="layer dense1: The integers are far from the float model") as refused:
        edgeml.convert(
            module, to="tflite", target="host", data={"x": x}, output=tmp_path / "refused", name="far", strict=True
        )
    assert refused.value.exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["told"]


def test_batch_norm_and_a_normalisation_are_read_through() -> None:
    rng = np.random.default_rng(10)
    mlp = chain(
        Affine(np.full(6, 1 / 255), np.zeros(6)),
        linear(rng, 8, 6),
        Affine(rng.normal(size=8), rng.normal(size=8)),
        RELU,
        Affine(rng.normal(size=8), rng.normal(size=8)),
        linear(rng, 3, 8),
        inputs=6,
    )
    x = rng.integers(0, 256, (200, 6)).astype(float)
    for form in ("tflite", "quantized"):
        data = Dataset(x[:150], x[150:])
        conversion = plugins.converters(form).convert(mlp, data, {"epochs": 0}, lambda *progress: None)
        reference = conversion.reference
        assert reference is not None
        values = reference.evaluate(x, {})
        assert np.allclose(values[conversion.network.nodes[-1].name], mlp.evaluate(x))
        assert set(reference.readings) | {conversion.network.nodes[-1].name} == set(values)
        (hidden,) = reference.readings
        again = reference.evaluate(x, {hidden: values[hidden] * 0})
        assert np.ptp(again[conversion.network.nodes[-1].name], axis=0).max() < 1e-9
