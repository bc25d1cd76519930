"""QONNX files that mean harm: nothing escapes but an InputError."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.network import Network, simulate
from edgeml.targets.fpga.qonnx.rules import inspect_file
from edgeml.targets.fpga.qonnx.writer import to_qonnx
from tests.frontends.hostile import expect_error_or_model, mutated_bytes
from tests.frontends.test_hostile_onnx import mutate
from tests.sweeps import cases
from tests.targets.fpga.qonnx.test_qonnx import _network as random_network


def survives(path: Path) -> bool:
    """Read and inspect the file; whether a network came out."""
    with contextlib.suppress(InputError):
        inspect_file(path)
    if not expect_error_or_model(path):
        return False
    network = load_model(path)
    if isinstance(network, Network):
        simulate(network, np.zeros((1, network.input_size), np.int32))
    return True


@pytest.mark.parametrize("count", [50, pytest.param(cases(2000), marks=pytest.mark.slow(scaled=True))])
def test_mutated_bytes(tmp_path: Path, count: int) -> None:
    path, read = tmp_path / "model.onnx", 0
    for content in mutated_bytes(to_qonnx(random_network(0)), count, 1):
        path.write_bytes(content)
        read += survives(path)
    assert read > 0


@pytest.mark.parametrize("count", [60, pytest.param(cases(2000), marks=pytest.mark.slow(scaled=True))])
def test_mutated_structure(tmp_path: Path, count: int) -> None:
    path, read, generator = tmp_path / "model.onnx", 0, np.random.default_rng(5)
    content = to_qonnx(random_network(0))
    for _ in range(count):
        model = ModelProto.FromString(content)
        for _ in range(int(generator.integers(1, 3))):
            if model.graph.input[0].type.tensor_type.shape.dim and model.graph.node:
                while len(model.graph.input[0].type.tensor_type.shape.dim) < 3:
                    model.graph.input[0].type.tensor_type.shape.dim.add().dim_value = 1
                mutate(model, generator)
        del model.graph.input[0].type.tensor_type.shape.dim[2:]
        path.write_bytes(model.SerializeToString())
        read += survives(path)
    assert read > 0
