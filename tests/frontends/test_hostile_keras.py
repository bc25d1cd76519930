"""Keras files of an attacker are refused: bombs, links to other files, claims, code, circles, damage.

Each begins as a real file of `keras_files`, so that what is refused is the change alone.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.errors import EdgemlError, InputError
from edgeml.frontends import load_model

from .test_keras_files import FOLDER, rewritten

h5py = pytest.importorskip("h5py")

MLP = FOLDER / "keras_3" / "mlp.keras"
RESIDUAL = FOLDER / "keras_3" / "residual.keras"
LEGACY = FOLDER / "keras_3" / "windows.h5"


def refusal(content: bytes, folder: Path, ending: str = "keras") -> InputError:
    path = folder / f"m.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_model(path)
    return caught.value


def with_weights(change: Callable[[Any], None], source: Path = MLP) -> bytes:
    """A `.keras` file whose file of weights `change` has been at."""
    stream = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".h5"):
                inner = io.BytesIO(content)
                with h5py.File(inner, "a") as file:
                    change(file)
                content = inner.getvalue()
            new.writestr(name, content)
    return stream.getvalue()


def replaced(path: str, **dataset: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[path]
        file.create_dataset(path, **dataset)

    return change


def external_link(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense_1/vars/0")


def circle(file: Any) -> None:
    del file["layers/dense"]
    file["layers/dense"] = file["layers"]


def virtual(file: Any) -> None:
    del file["layers/dense/vars/0"]
    layout = h5py.VirtualLayout((4, 6), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4, 6))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def renamed(file: Any) -> None:
    file["layers/dense/vars"].attrs["name"] = "dense_9"


WEIGHTS = {
    "link to a file": (external_link, "ExternalLink"),
    "soft link": (soft_link, "SoftLink"),
    "virtual": (virtual, "another file"),
    "stored elsewhere": (
        replaced("layers/dense/vars/0", shape=(4, 6), dtype="f4", external=[("/etc/passwd", 0, 96)]),
        "another file",
    ),
    "claims more than it stores": (
        replaced("layers/dense/vars/0", shape=(2**20,), dtype="f4", chunks=(64,)),
        "does not store",
    ),
    "claims more than may be": (replaced("layers/dense/vars/0", shape=(2**50,), dtype="f4", chunks=(64,)), "more than"),
    "not finite": (replaced("layers/dense/vars/0", data=np.full((4, 6), np.nan, "f4")), "finite"),
    "objects": (replaced("layers/dense/vars/0", data=np.zeros((4, 6), "V8")), "neither numbers nor text"),
    "another shape": (replaced("layers/dense/vars/0", data=np.zeros((6, 4), "f4")), r"shape \[6, 4\]"),
    "one too many": (lambda file: file.create_dataset("layers/dense/vars/2", data=np.zeros(6)), "3 variables"),
    "of another layer": (renamed, "those of layer 'dense_9'"),
    "a group is the whole": (circle, "variables"),
    "no layers": (lambda file: file.__delitem__("layers"), "0 variables"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(name: str, tmp_path: Path) -> None:
    change, text = WEIGHTS[name]
    refused = refusal(with_weights(change), tmp_path)
    assert re.search(text, str(refused)), str(refused)


def layer(config: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in config["config"]["layers"] if each["class_name"] == kind)


def a_layer(kind: str, module: str = "keras.layers", registered: Any = None, **settings: Any) -> Any:
    def change(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        settings_of = {"name": "added", "trainable": True, **settings}
        layers.insert(2, {"module": module, "class_name": kind, "config": settings_of, "registered_name": registered})

    return change


def setting(kind: str, name: str, value: Any) -> Any:
    return lambda config: layer(config, kind)["config"].__setitem__(name, value)


def nested(config: dict[str, Any]) -> dict[str, Any]:
    for _ in range(40):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    return config


CONFIGURATIONS = {
    "code": (a_layer("Lambda", function="4wEAAAA="), "never runs"),
    "another package's class": (a_layer("Mine", "mine", "mine>Mine"), "another package"),
    "HGQ2": (a_layer("QConv2D", "hgq.layers.conv", "hgq>QConv2D"), "a layer of HGQ2.*reads QDense.*plain.keras"),
    "HGQ2 without quantizers": (
        a_layer("QDense", "hgq.layers.core.dense", "hgq>QDense"),
        "iq_conf is None.*plain.keras",
    ),
    "unknown class": (a_layer("Mystery"), "Mystery are not supported"),
    "LSTM": (a_layer("LSTM", units=3), "an LSTM"),
    "attention": (a_layer("MultiHeadAttention"), "attention"),
    "unknown setting": (setting("Dense", "twist", 0.5), "'?twist'?"),
    "unknown activation": (setting("Dense", "activation", "squareplus"), "squareplus"),
    "own activation": (
        setting("Dense", "activation", {"module": "builtins", "class_name": "function", "config": "relu"}),
        "activation 'relu' is not supported",
    ),
    "quantized by Keras": (setting("Dense", "dtype", "int8_from_float32"), "int8_from_float32"),
    "units of text": (setting("Dense", "units", "6"), "shape"),
    "a huge layer": (setting("Dense", "units", 2**40), "shape"),
    "NaN": (setting("LeakyReLU", "negative_slope", float("nan")), "not a number"),
    "no configuration": (lambda config: config["config"]["layers"].__setitem__(1, {"class_name": "Dense"}), "config"),
    "no layers": (lambda config: config["config"].__setitem__("layers", []), "0 layers"),
    "layers of text": (lambda config: config["config"].__setitem__("layers", "Dense"), "layers"),
    "another class": (lambda config: config.__setitem__("class_name", "Mine"), "whose computation"),
    "a list": (lambda config: [config], "JSON object"),
    "names twice": (lambda config: setting("LeakyReLU", "name", "dense")(config), "two layers"),
    "models in models": (nested, "depth of more than"),
    "a large input": (setting("InputLayer", "batch_shape", [None, 2**40]), "features"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(name: str, tmp_path: Path) -> None:
    change, text = CONFIGURATIONS[name]
    refused = refusal(rewritten(MLP, change), tmp_path)
    assert re.search(text, str(refused)), str(refused)


def call_of(config: dict[str, Any], kind: str, history: list[Any]) -> None:
    argument = layer(config, kind)["inbound_nodes"][0]["args"][0]
    (argument[0] if isinstance(argument, list) else argument)["config"]["keras_history"] = history


GRAPHS = {
    "a circle": (lambda config: call_of(config, "Subtract", ["values", 0, 0]), "its own output"),
    "no such layer": (lambda config: call_of(config, "Subtract", ["nobody", 0, 0]), "does not have"),
    "no such call": (lambda config: call_of(config, "Subtract", ["average", 7, 0]), "does not have"),
    "a second output": (lambda config: call_of(config, "Subtract", ["average", 0, 1]), "output 1"),
    "two outputs": (
        lambda config: config["config"].__setitem__("output_layers", [["values", 0, 0], ["average", 0, 0]]),
        "2 outputs",
    ),
    "no output": (lambda config: config["config"].__setitem__("output_layers", []), "0 outputs"),
    "a mask": (
        lambda config: layer(config, "Subtract")["inbound_nodes"][0]["kwargs"].__setitem__("mask", 1),
        "called with 'mask'",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name: str, tmp_path: Path) -> None:
    change, text = GRAPHS[name]
    assert text in str(refusal(rewritten(RESIDUAL, change), tmp_path))


def test_bombs(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b"[" * 2**25)
        archive.writestr("metadata.json", "{}")
    assert "claims 33554432 bytes" in str(refusal(stream.getvalue(), tmp_path))
    deep = b'{"a":' * 100_000
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("config.json", "metadata.json"):
            archive.writestr(name, deep)
    assert "not sound JSON" in str(refusal(stream.getvalue(), tmp_path))
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(1001):
            archive.writestr(str(number), b"")
    assert "more than 1000 members" in str(refusal(many.getvalue(), tmp_path))


def test_a_member_that_occurs_twice(tmp_path: Path) -> None:
    stream = io.BytesIO(MLP.read_bytes())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("config.json", "{}")
    assert "2 members 'config.json'" in str(refusal(stream.getvalue(), tmp_path))


def test_weights_without_a_model(tmp_path: Path) -> None:
    with zipfile.ZipFile(MLP) as archive:
        refused = refusal(archive.read("model.weights.h5"), tmp_path, "h5")
    assert "holds weights only" in str(refused)
    assert "model.save" in refused.remedy
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    assert "not a Keras model" in str(refusal(path.read_bytes(), tmp_path, "h5"))


LEGACY_CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "a link to a file": (
        lambda file: file["model_weights/conv1d"].__setitem__("more", h5py.ExternalLink("/etc/passwd", "/x")),
        "ExternalLink",
    ),
    "a variable too many": (
        lambda file: file["model_weights/conv1d"].__setitem__("a/twist", np.zeros(3)),
        "twist",
    ),
    "two of one name": (
        lambda file: file["model_weights/conv1d"].__setitem__("a/kernel", np.zeros(3)),
        "does not tell them apart",
    ),
    "a circle": (
        lambda file: file["model_weights/conv1d"].__setitem__("again", file["model_weights"]),
        "does not tell them apart",
    ),
    "a configuration that is a number": (lambda file: file.attrs.__setitem__("model_config", 7), "not a text"),
    "a configuration that is no JSON": (lambda file: file.attrs.__setitem__("model_config", "{"), "not sound JSON"),
    "no weights": (lambda file: file.__delitem__("model_weights"), "no weights"),
}


@pytest.mark.parametrize("name", LEGACY_CHANGES)
def test_legacy_files(name: str, tmp_path: Path) -> None:
    change, text = LEGACY_CHANGES[name]
    stream = io.BytesIO(LEGACY.read_bytes())
    with h5py.File(stream, "a") as file:
        change(file)
    assert text in str(refusal(stream.getvalue(), tmp_path, "h5"))


def test_a_text_that_claims_more_than_the_file(tmp_path: Path) -> None:
    """HDF5 takes the memory for a text of 4 GB first, and finds then that there is none."""
    content = bytearray(LEGACY.read_bytes())
    with h5py.File(LEGACY) as file:
        length = len(file.attrs["model_config"])
    at = content.find(length.to_bytes(4, "little"))
    while at >= 0:
        content[at : at + 4] = b"\xff\xff\xff\xf0"
        at = content.find(length.to_bytes(4, "little"))
    assert "claims more text than the file holds" in str(refusal(bytes(content), tmp_path, "h5"))


@pytest.mark.parametrize("source", [MLP, LEGACY], ids=["keras", "h5"])
def test_damage_is_told(source: Path, tmp_path: Path) -> None:
    """Cut off, and with bytes exchanged: each file is read or refused by a sentence."""
    whole = source.read_bytes()
    chance = random.Random(5)
    path = tmp_path / f"m{source.suffix}"
    for trial in range(60):
        content = bytearray(whole)
        if trial < 10:
            del content[chance.randrange(len(content)) :]
        for _ in range(chance.randint(1, 6)):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        read_or_refused(path)


def test_a_damaged_configuration_is_told(tmp_path: Path) -> None:
    """Values of the configuration exchanged for others: read or refused by a sentence."""
    chance = random.Random(6)
    path = tmp_path / "m.keras"
    values = (None, True, -1, 0, 7, 1.5, "relu", "", [], [1], {}, {"class_name": "Dense", "config": {}}, 2**62)
    for source in (MLP, RESIDUAL, FOLDER / "keras_3" / "images.keras"):
        for _ in range(60):

            def change(config: Any) -> None:
                places: list[tuple[Any, Any]] = []
                collect(config, places)
                for _ in range(chance.randint(1, 2)):
                    holder, key = chance.choice(places)
                    holder[key] = chance.choice(values)

            path.write_bytes(rewritten(source, change))
            read_or_refused(path)


def read_or_refused(path: Path) -> None:
    with suppress(EdgemlError):
        load_model(path)


def collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        places.append((value, key))
        collect(value[key], places)


def test_deflated_files_are_read(tmp_path: Path) -> None:
    """As people who unpack and pack them again have them."""
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(MLP) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert load_model(path, name="a").name == "a"
