"""Inputs as bits in the int8 form: a file that takes bits, a network that takes features, and the same integers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.runtimes import RUNTIMES
from edgeml.converters.tflite.sessions import session
from edgeml.converters.tflite.writer import write
from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Affine, Clamp, Linear, Mlp, MlpNode
from edgeml.network import simulate
from edgeml.network.network_file import model_hash
from edgeml.plugins import Conversion


def _converted(**options: Any) -> tuple[Conversion, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(3)
    nodes = (
        MlpNode("norm", Affine(np.full(4, 0.02), np.full(4, -2.0)), ("input",)),
        MlpNode("l1", Linear(rng.normal(size=(9, 4)), rng.normal(size=9)), ("norm",)),
        MlpNode("relu", Clamp(0.0, np.inf), ("l1",)),
        MlpNode("l2", Linear(rng.normal(size=(3, 9)), rng.normal(size=3)), ("relu",)),
    )
    x = rng.integers(0, 256, (500, 4)).astype(np.float64)
    conversion = TfliteConverter().convert(Mlp("bits", 4, nodes), as_dataset({"x": x}), options, lambda *_: None)
    return conversion, x


@pytest.mark.parametrize("how", ["all=bits", "all=thermometer:7", "all=table", "0-1=bits,2-3=thermometer:3"])
@pytest.mark.parametrize("rounding", ["double_rounding", "shift"])
def test_the_file_in_tflite_micro_gives_the_integers_of_the_network_for_its_bits(how: str, rounding: str) -> None:
    runtime = RUNTIMES["tflm"]
    if runtime.missing():
        pytest.skip(runtime.missing())
    conversion, x = _converted(encode=how, rounding=rounding)
    network = conversion.network
    assert [node.layer.kind for node in network.layers[:2]] == ["encode", "dense"]
    (content,) = conversion.files.values()
    q = network.quantizer.quantize(x)
    bits = network.layers[0].layer.evaluate(q)
    assert set(np.unique(bits)) == {0, 1}
    with session(runtime) as running:
        (found,), _ = running.run(content, bits.astype(np.int8))
    assert np.array_equal(found.astype(np.int32), simulate(network, q))


def test_the_file_says_what_its_input_is_and_is_read_back_as_the_network_of_the_features() -> None:
    conversion, _ = _converted(encode="all=bits")
    (content,) = conversion.files.values()
    assert b"values of 0 and 1, made of 4 features" in content
    assert any("values of 0 and 1, made of 4 features" in note for note in conversion.notes)
    model = read_model(content, "bits")
    assert model_hash(lower(model, "double_rounding")) == model_hash(conversion.network)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("source", [0, 1], "must have|makes"),
        ("source", [9] * 32, "0 … 3"),
        ("rule", [7] * 32, "0 … 3"),
        ("operand", "x", "must have lists"),
        ("bits", 99, "1 … 8"),
        ("inputs", -1, "1 …"),
        ("inputs", 5.5, "1 …"),
        ("scale", [0.0], "positive"),
        ("scale", [None], "sound"),
        ("offset", [1.0, 2.0], "1 or 4"),
        ("more", 1, "must have the fields"),
    ],
)
def test_hostile_statements_of_the_input_are_refused(field: str, value: Any, problem: str) -> None:
    conversion, _ = _converted(encode="all=bits")
    (content,) = conversion.files.values()
    model = read_model(content, "bits")
    stated = json.loads(model.metadata["edgeml"])
    stated["encoded_input"][field] = value
    broken = write(type(model)(**{**vars(model), "metadata": {"edgeml": json.dumps(stated).encode()}}))
    with pytest.raises(InputError, match=problem):
        read_model(broken, "bits")


def test_features_left_as_numbers_beside_bits_are_refused_with_a_remedy() -> None:
    with pytest.raises(InputError, match="Encode all features"):
        _converted(encode="0-1=bits")
