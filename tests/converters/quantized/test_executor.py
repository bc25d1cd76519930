"""The `brevitas` executor: exact on a bundle, and safe with a hostile file in one."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.executor import BrevitasExecutor
from edgeml.converters.quantized.model_file import BREVITAS_FILE, from_bytes, to_bytes
from edgeml.errors import EdgemlError, InputError
from edgeml.network import trace

from .random_mlps import Shape, data_of, mlp_of
from .random_models import ModelShape, model_of, model_shapes

SHAPE = Shape((9, 7, 7, 3), ("relu", "hardtanh"), ("after", "before"), (False, True), True, "", 4)


@pytest.fixture(scope="module")
def conversion() -> Any:
    mlp = mlp_of(SHAPE)
    return QuantizedConverter().convert(mlp, data_of(mlp, 0), {"bits": 2, "epochs": 0}, lambda *_: None)


def bundle_of(folder: Path, conversion: Any, content: bytes) -> Any:
    (folder / BREVITAS_FILE).parent.mkdir(parents=True, exist_ok=True)
    (folder / BREVITAS_FILE).write_bytes(content)
    return SimpleNamespace(folder=folder, network=conversion.network, form="quantized")


def test_it_computes_golden_integers_at_every_layer(tmp_path: Path, conversion: Any) -> None:
    bundle = bundle_of(tmp_path, conversion, conversion.files[BREVITAS_FILE])
    executor = BrevitasExecutor()
    assert executor.applies(bundle)
    assert executor.missing(bundle) == ""
    network = conversion.network
    q = np.random.default_rng(0).integers(network.quantizer.low, network.quantizer.high + 1, (2500, 9), dtype=np.int32)
    execution = executor.run(bundle, q, trace=True, options={})
    golden = trace(network, q)
    compared = [name for name in execution.trace if name in golden]
    assert compared == ["linear1_act", "linear2_act", "add2", "linear3"]
    for name in compared:
        np.testing.assert_array_equal(execution.trace[name], golden[name])
    np.testing.assert_array_equal(execution.outputs, golden["linear3"])
    assert "float64" in execution.detail
    assert execution.outputs.dtype == np.int32
    assert not BrevitasExecutor().applies(SimpleNamespace(folder=tmp_path / "elsewhere"))


@settings(max_examples=60)
@given(model_shapes())
def test_files_round_trip_byte_for_byte(shape: ModelShape) -> None:
    content = to_bytes(model_of(shape))
    assert to_bytes(from_bytes(content)) == content


def changed_header(content: bytes, change: Any) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    structure = json.loads(header["__metadata__"]["edgeml_brevitas"])
    change(structure)
    header["__metadata__"]["edgeml_brevitas"] = json.dumps(structure)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def set_attribute(node: int, field: str, value: Any) -> Any:
    return lambda structure: structure["nodes"][node]["attributes"].update({field: value})


@pytest.mark.parametrize(
    "change",
    [
        lambda structure: structure.update(format=2),
        lambda structure: structure.update(nodes=[]),
        lambda structure: structure.update(nodes=structure["nodes"] * 2),
        lambda structure: structure.update(nodes=5),
        lambda structure: structure["nodes"][1].update(kind="__import__"),
        lambda structure: structure["nodes"][1].update(inputs=["nowhere"]),
        lambda structure: structure["nodes"][1].update(inputs=[]),
        lambda structure: structure["nodes"][1].update(name={"a": 1}),
        lambda structure: structure["nodes"][1].update(tensors=["missing"]),
        lambda structure: structure["nodes"][1].update(attributes=[1]),
        set_attribute(0, "bits", 64),
        set_attribute(0, "size", 2**40),
        set_attribute(0, "step", float("nan")),
        set_attribute(0, "step", "1"),
        set_attribute(0, "signed", 1),
        set_attribute(1, "bits", 1),
        set_attribute(1, "extra", 1),
    ],
)
def test_files_with_a_broken_structure_are_refused(change: Any, conversion: Any) -> None:
    with pytest.raises(InputError, match="is not a sound quantized model"):
        from_bytes(changed_header(conversion.files[BREVITAS_FILE], change))


@settings(max_examples=150)
@given(st.data())
def test_damaged_files_give_an_error_or_another_sound_model(conversion: Any, data: st.DataObject) -> None:
    content = bytearray(conversion.files[BREVITAS_FILE])
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    for _ in range(data.draw(st.integers(1, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        from_bytes(bytes(content))
    except EdgemlError as error:
        assert error.exit_code == 2  # noqa: PT017


def test_a_file_of_another_network_is_refused(tmp_path: Path, conversion: Any) -> None:
    mlp = mlp_of(Shape((5, 3), (), (), (), False, "", 1))
    other = QuantizedConverter().convert(mlp, data_of(mlp, 0), {}, lambda *_: None)
    bundle = bundle_of(tmp_path, conversion, other.files[BREVITAS_FILE])
    with pytest.raises(InputError, match="not of the bundle's network"):
        BrevitasExecutor().run(bundle, np.zeros((1, 9), np.int32), trace=False, options={})
