"""QKeras files are the integer networks that QKeras computes: its own outputs, and its quantizers' formulas."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.converters.quantized.qkeras.quantizers import Quantizer, quantizer_of
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.reading.value import NotAnMlp
from edgeml.network import Network, simulate

pytest.importorskip("h5py")

FOLDER = Path(__file__).resolve().parent
FILES = (FOLDER / "plain.keras", FOLDER / "normalised.h5")


def read(path: Path) -> Network:
    network = load_model(path)
    assert isinstance(network, Network)
    return network


def samples(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    with np.load(path.with_suffix(".npz")) as stored:
        return stored["x"].astype(np.float64), stored["y"]


def real_outputs(network: Network, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    quantizer = network.quantizer
    q = np.rint((x - quantizer.offset) / quantizer.scale) + quantizer.zero_point
    integers = simulate(network, np.clip(q, quantizer.low, quantizer.high).astype(np.int64))
    return np.asarray((integers - network.output.zero_point) * network.output.scale)


def test_a_chain_of_quantizers_gives_what_qkeras_gives() -> None:
    """Every output of every sample, to the last bit."""
    x, y = samples(FILES[0])
    np.testing.assert_array_equal(real_outputs(read(FILES[0]), x), y)


def test_batch_norm_and_softmax() -> None:
    x, y = samples(FILES[1])
    logits = real_outputs(read(FILES[1]), x)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), y, atol=1e-6)


def test_bits_are_those_of_the_file() -> None:
    dense = [node.layer for node in read(FILES[1]).nodes if node.layer.kind == "dense"]
    assert [layer.weight_bits for layer in dense] == [3, 2, 6]
    assert read(FILES[1]).quantizer.bits == 6


@pytest.mark.parametrize(
    ("given", "step", "low", "high"),
    [
        ("quantized_bits(4, 0, alpha=1)", Fraction(1, 8), -8, 7),
        ("quantized_bits(4, 1, 1)", Fraction(1, 4), -7, 7),
        ("quantized_bits(4, 2, keep_negative=False)", Fraction(1, 4), 0, 15),
        ("quantized_bits(8, 10)", Fraction(8), -128, 127),
        ("quantized_bits", Fraction(1, 128), -128, 127),
        ("quantized_relu(4, 2)", Fraction(1, 4), 0, 15),
        ({"class_name": "quantized_relu", "config": {"bits": 3, "integer": 0}}, Fraction(1, 8), 0, 7),
    ],
)
def test_quantizers_are_read_from_text_and_objects(given: Any, step: Fraction, low: int, high: int) -> None:
    assert quantizer_of(given) == Quantizer(step, low, high)


@pytest.mark.parametrize(
    "given",
    [
        "quantized_bits(4, 0, alpha='auto_po2')",
        "quantized_bits(4, 0, use_stochastic_rounding=True)",
        "quantized_bits(4, 0, qnoise_factor=0.5)",
        "quantized_bits(4.5, 0)",
        "quantized_bits(1, 0)",
        "quantized_bits(4, 10**9)",
        "quantized_relu(4, 2, use_sigmoid=1)",
        "quantized_relu(4, 2, negative_slope=0.25)",
        "quantized_relu(4, 2, twist=1)",
        "ternary(alpha=1)",
        "__import__('os').system('true')",
        "quantized_bits(__import__('os').getpid())",
        "(" * 5000,
        7,
        {"class_name": "quantized_bits", "config": {"bits": "4"}},
    ],
)
def test_other_quantizers_are_refused_and_never_run(given: Any) -> None:
    with pytest.raises(NotAnMlp):
        quantizer_of(given)


def changed(folder: Path, change: Callable[[list[Any]], None]) -> Path:
    """`plain.keras` with its list of layers changed."""
    path = folder / "m.keras"
    with zipfile.ZipFile(FILES[0]) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return path


REFUSED: dict[str, tuple[Callable[[list[Any]], None], str]] = {
    "no input quantizer": (lambda layers: layers[1]["config"].update(activation="linear"), "without a quantizer"),
    "no quantizer between": (lambda layers: layers[3]["config"].update(activation="relu"), "no quantizer made"),
    "weights in float": (lambda layers: layers[2]["config"].update(kernel_quantizer=None), "weights are not quantized"),
    "too many levels": (lambda layers: layers[3]["config"].update(activation="quantized_relu(9, 2)"), "512 levels"),
    "wide weights": (
        lambda layers: layers[2]["config"].update(kernel_quantizer="quantized_bits(12, 2, alpha=1)"),
        "at most 8 bits",
    ),
    "another layer": (lambda layers: layers[3].update(class_name="QAveragePooling2D"), "QAveragePooling2D"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_models_that_are_no_integers_are_refused_by_their_layer(name: str, tmp_path: Path) -> None:
    change, text = REFUSED[name]
    with pytest.raises(InputError, match=text) as caught:
        load_model(changed(tmp_path, change))
    assert caught.value.remedy


@pytest.mark.slow(scaled=True)
def test_a_file_converts_and_is_verified(tmp_path: Path) -> None:
    x, y = samples(FILES[0])
    bundle = edgeml.convert(FILES[0], to="quantized", target="host", data={"x": x}, output=tmp_path / "b")
    assert all(each.status in ("exact", "unavailable") for each in edgeml.verify(bundle))
    np.testing.assert_array_equal(bundle.run(x).real, y)
