"""`.safetensors` weights that mean harm: nothing escapes but an InputError."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from edgeml.errors import InputError
from edgeml.frontends import load_model
from tests.sweeps import cases

from .hostile import expect_error_or_model, mutated_bytes, mutated_json


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text("import torch\ndef make():\n    return torch.nn.Linear(4, 3)\n")
    return f"{tmp_path / 'net.py'}:make"


def good() -> bytes:
    torch.manual_seed(0)
    return bytes(save({"weight": torch.randn(3, 4), "bias": torch.randn(3)}))


def with_header(header: Any, data: bytes = b"\0" * 60) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_every_truncation(source: str, tmp_path: Path) -> None:
    content = good()
    for length in range(len(content)):
        (tmp_path / "w.safetensors").write_bytes(content[:length])
        with pytest.raises(InputError):
            load_model(source, weights=tmp_path / "w.safetensors")


def entry(dtype: Any = "F32", shape: Any = (3,), offsets: Any = (0, 12)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 7,
        b"\xff" * 8,
        struct.pack("<Q", 2**63),
        with_header(b""),
        with_header(b"{"),
        with_header(b"[]"),
        with_header(b"[" * 100_000),
        with_header({}),
        with_header({"weight": entry(shape=[2**40, 2**40])}),
        with_header({"weight": entry(shape=[-3])}),
        with_header({"weight": entry(offsets=[0, 2**62])}),
        with_header({"weight": entry(offsets=[12, 0])}),
        with_header({"weight": entry(dtype="PICKLE")}),
        with_header({"weight": entry(dtype=7)}),
        with_header({"weight": 3}),
        with_header({"__metadata__": {"a": {"b": "c"}}}),
        with_header({"bias": entry(), "weight": entry(shape=[3, 4], offsets=[0, 48])}),
    ],
)
def test_headers_that_lie(source: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(InputError):
        load_model(source, weights=tmp_path / "w.safetensors")


@pytest.mark.parametrize("count", [30, pytest.param(cases(1500), marks=pytest.mark.slow(scaled=True))])
def test_mutations(source: str, tmp_path: Path, count: int) -> None:
    content = good()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    changed = [with_header(structure, data) for structure in mutated_json(header, count, 3)]
    for mutated in [*changed, *mutated_bytes(content, count, 4)]:
        (tmp_path / "w.safetensors").write_bytes(mutated)
        expect_error_or_model(source, weights=tmp_path / "w.safetensors")
