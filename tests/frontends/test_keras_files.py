"""Keras files give what Keras gives: files that Keras 2.15 and 3.15 wrote, and the outputs that they computed.

`keras_files/make.py` made them. What hostile files do is in `test_hostile_keras.py`.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.keras_model.weights import group_names
from edgeml.frontends.mlp import Mlp

pytest.importorskip("h5py")

FOLDER = Path(__file__).resolve().parent / "keras_files"
FILES = sorted(path for ending in ("keras", "h5") for path in FOLDER.glob(f"*/*.{ending}"))


def read(path: Path) -> Mlp:
    model = load_model(path)
    assert isinstance(model, Mlp)
    return model


def samples(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """What Keras was given [samples, features], and what it gave."""
    with np.load(path.with_suffix(".npz")) as stored:
        return stored["x"].reshape(len(stored["x"]), -1).astype(np.float64), stored["y"]


def answers(model: Mlp, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    given = model.trace(x)[model.nodes[-1].name]
    if model.final == "softmax":
        powers = np.exp(given - given.max(axis=1, keepdims=True))
        given = powers / powers.sum(axis=1, keepdims=True)
    return np.asarray(given)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_outputs_are_those_of_keras(path: Path) -> None:
    """Every layer, and both versions' ways to name layers, calls and weights: a wrong one would change the outputs."""
    model, (x, y) = read(path), samples(path)
    assert model.name == path.stem
    np.testing.assert_allclose(answers(model, x).reshape(y.shape), y, rtol=1e-5, atol=1e-5)


def test_there_are_files_of_both_versions_in_both_formats() -> None:
    kinds = {(path.parent.name, path.suffix) for path in FILES}
    assert kinds == {(version, suffix) for version in ("keras_2", "keras_3") for suffix in (".keras", ".h5")}


@pytest.mark.parametrize("name", ["residual", "windows"])
def test_both_formats_hold_the_same_model(name: str) -> None:
    native, legacy = (read(FOLDER / "keras_3" / f"{name}.{ending}") for ending in ("keras", "h5"))
    x, _ = samples(FOLDER / "keras_3" / f"{name}.keras")
    np.testing.assert_array_equal(answers(native, x), answers(legacy, x))


def test_places_are_called_by_the_layers_of_keras() -> None:
    origins = [node.origin for node in read(FOLDER / "keras_3" / "mlp.keras").nodes]
    assert origins[0] == "layer 'normalization' (Normalization)"
    assert origins[-1].endswith("(Dense)")


@pytest.mark.slow(scaled=True)
def test_a_file_converts_and_is_verified(tmp_path: Path) -> None:
    path = FOLDER / "keras_3" / "mlp.keras"
    x, _ = samples(path)
    bundle = edgeml.convert(
        path, to="quantized", target="host", data={"x": np.tile(x, (4, 1))}, output=tmp_path / "mlp",
        options={"weight_bits": 8, "act_bits": 8, "epochs": 0},
    )  # fmt: skip
    assert all(each.status in ("exact", "unavailable") for each in edgeml.verify(bundle))
    found = bundle.run(x)
    assert np.mean(np.argmax(found.real, axis=1) == answers(read(path), x).argmax(axis=1)) >= 0.9


def test_sizes_that_the_input_leaves_open_come_from_the_data(tmp_path: Path) -> None:
    path = tmp_path / "open.keras"
    content = rewritten(FOLDER / "keras_3" / "windows.keras", open_length)
    path.write_bytes(content)
    with pytest.raises(InputError, match="may be dynamic"):
        load_model(path)
    model = load_model(path, sample_shape=(24, 3))
    x, y = samples(FOLDER / "keras_3" / "windows.keras")
    assert isinstance(model, Mlp)
    np.testing.assert_allclose(answers(model, x), y, rtol=1e-5, atol=1e-5)


def open_length(config: dict[str, Any]) -> None:
    config["config"]["layers"][0]["config"]["batch_shape"][1] = None


def rewritten(path: Path, change: Any) -> bytes:
    """A `.keras` file with its configuration changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(stream, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                changed = change(config)
                content = json.dumps(config if changed is None else changed).encode()
            target.writestr(name, content)
    return stream.getvalue()


def test_groups_of_weights_are_named_by_class_and_count() -> None:
    layers = [("a", "Dense"), ("b", "PReLU"), ("c", "Conv1D"), ("d", "Dense"), ("e", "BatchNormalization"),
              ("f", "MaxPooling2D"), ("g", "Dense"), ("h", "DepthwiseConv2D")]  # fmt: skip
    assert list(group_names(layers).values()) == [
        "dense", "p_re_lu", "conv1d", "dense_1", "batch_normalization", "max_pooling2d", "dense_2", "depthwise_conv2d",
    ]  # fmt: skip
