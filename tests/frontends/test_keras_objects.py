"""Models of Keras that live in Python are read as the files that Keras saves of them, and held against themselves."""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.errors import CheckFailed, InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp

pytest.importorskip("torch")
if importlib.util.find_spec("keras") is None:
    pytest.skip("needs keras", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
from keras import layers

FOLDER = Path(__file__).resolve().parent / "keras_files" / "keras_3"


def classifier() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ],
        name="classifier",
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    generator = np.random.default_rng(0)
    model.fit(generator.normal(3, 2, (64, 4)), generator.integers(0, 3, 64), epochs=1, verbose=0)
    return model


def read(model: Any, **told: Any) -> Mlp:
    found = load_model(model, **told)
    assert isinstance(found, Mlp)
    return found


def test_a_trained_model_is_read_as_keras_computes_it() -> None:
    """Reading it holds it against the model; here its numbers are held against Keras's once more, and it is as before:
    a compiled model that was read can be trained on."""
    model = classifier()
    before = [np.array(each) for each in model.get_weights()]
    found = read(model)
    assert (found.name, found.final, found.input_size) == ("classifier", "softmax", 4)
    x = np.random.default_rng(1).normal(3, 2, (32, 4)).astype(np.float32)
    logits = found.trace(x.astype(np.float64))[found.nodes[-1].name]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.predict(x, verbose=0), atol=1e-5)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


@pytest.mark.parametrize("name", ["mlp", "residual", "windows", "mixer"])
def test_models_that_keras_loads_are_read_as_their_files(name: str) -> None:
    path = FOLDER / f"{name}.keras"
    with zipfile.ZipFile(path) as archive:
        written = json.loads(archive.read("metadata.json"))["keras_version"]
    if _numbers(keras.__version__) < _numbers(written):
        pytest.skip(f"Keras {keras.__version__} does not load files of {written}")
    live, file = read(keras.models.load_model(path)), read(path)
    x = np.random.default_rng(2).normal(size=(8, file.input_size))
    for node in file.nodes:
        np.testing.assert_array_equal(live.trace(x)[node.name], file.trace(x)[node.name])


def test_a_model_converts(tmp_path: Path) -> None:
    x = np.random.default_rng(4).normal(3, 2, (200, 4))
    bundle = edgeml.convert(
        classifier(), to="quantized", target="host", data={"x": x}, output=tmp_path / "b",
        options={"weight_bits": 8, "act_bits": 8, "epochs": 0},
    )  # fmt: skip
    assert bundle.network.name == "classifier"


def test_sizes_that_the_input_leaves_open_come_from_the_data() -> None:
    model = keras.Sequential([keras.Input((None, 3)), layers.Conv1D(4, 3), layers.GlobalAveragePooling1D()])
    assert read(model, sample_shape=(10, 3)).input_size == 30
    with pytest.raises(InputError, match="may be dynamic"):
        load_model(model)


def test_a_layer_that_computes_something_else_than_it_says_is_found() -> None:
    """What the file states is held against the model: a class registered over Keras's own name is not taken for it."""

    class Twice(layers.Dense):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None) -> Any:
            return 2 * super().call(inputs)

    Twice.__name__ = "Dense"
    model = keras.Sequential([keras.Input((4,)), Twice(3)])
    with pytest.raises(CheckFailed, match="its outputs differ from the source's"):
        load_model(model)


class Subclassed(keras.Model):  # type: ignore[misc]
    """A model whose computation is code."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def called() -> Any:
    model = Subclassed()
    model(np.zeros((1, 4), np.float32))
    return model


REFUSED = {
    "not built": (lambda: keras.Sequential([layers.Dense(3)]), r"model Sequential: was not built", "keras.Input"),
    "subclassed": (called, "the class 'Subclassed', whose computation", r"model.export\('model.onnx'"),
    "code": (
        lambda: keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2), layers.Dense(3)]),
        r"layer 'lambda\w*' \(Lambda\): it holds Python code",
        "Rescaling",
    ),
    "two inputs": (
        lambda: keras.Model(both := [keras.Input((2,)), keras.Input((2,))], layers.Add()(both)),
        "it has 2 inputs",
        "Concatenate",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why_and_what_to_do(case: str) -> None:
    make, problem, remedy = REFUSED[case]
    with pytest.raises(InputError, match=problem) as caught:
        load_model(make())
    assert remedy.replace("\\", "") in caught.value.remedy
