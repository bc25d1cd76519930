"""The vector kernels of the Cortex-M55, run in QEMU (Unicorn has no such core): golden's integers for any layer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.bundle import Bundle
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.c import generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.dialect import dialect_for
from edgeml.targets.mcu.kernels import MveKernel

from ...network.spiking.random_networks import ENCODINGS
from ...network.spiking.random_networks import random_network as random_spiking_network
from .networks import bundle_for, random_inputs, random_network
from .test_forms import int8_network

EXECUTOR = "qemu-mps3-an547"
needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")


def one_layer(weight: np.ndarray, bits: int, input_bits: int, signed: bool, seed: int) -> Network:
    quantizer = InputQuantizer(weight.shape[1], np.array([1.0]), np.array([0.0]), 0, input_bits, signed)
    bias = np.random.default_rng(seed).integers(-(2**20), 2**20, weight.shape[0])
    nodes = (Node("input", quantizer), Node("dense", Dense(weight, bits, bias), ("input",)))
    return Network("net", nodes, Output(np.array([1.0])))


def weights(generator: np.random.Generator, shape: tuple[int, int], bits: int) -> np.ndarray:
    if bits == 1:
        return generator.choice([-1, 1], shape)
    return generator.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)


@settings(max_examples=16)
@given(
    bits=st.sampled_from([1, 2, 4, 8]),
    outputs=st.integers(1, 21),
    inputs=st.integers(1, 300),
    input_bits=st.integers(1, 8),
    signed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_packing_is_exact_in_its_portable_body(
    bits: int, outputs: int, inputs: int, input_bits: int, signed: bool, seed: int
) -> None:
    network = one_layer(weights(np.random.default_rng(seed), (outputs, inputs), bits), bits, input_bits, signed, seed)
    dialect = replace(dialect_for((MveKernel(), RowsKernel())), tile=4)
    assert generate(network, dialect).layout.stages[1].code.kernel == "mve"
    q = random_inputs(network, seed, 4)
    native = NativeNetwork(network, dialect, flags=("-O1", "-DEDGEML_PORTABLE"))
    np.testing.assert_array_equal(native.trace(q)["dense"], simulate(network, q))


def run(network: Network, folder: Path, vectors: int, form: str = "quantized") -> Bundle:
    made = bundle_for(network, "cortex-m55", folder, form)
    q = random_inputs(network, 3, vectors)
    found = made.executor(EXECUTOR).run(made, q, trace=False, options={})
    np.testing.assert_array_equal(found.outputs, simulate(network, q))
    return made


@needs_qemu
@pytest.mark.parametrize("bits", [1, 2, *(pytest.param(bits, marks=pytest.mark.slow) for bits in (4, 8))])
def test_vector_instructions_give_the_integers_of_golden(bits: int, tmp_path: Path) -> None:
    """All weights at one end of their range in one row, all inputs at 255 in one vector: the largest sums too."""
    weight = weights(np.random.default_rng(bits), (9, 300), bits)
    weight[0], weight[1] = weight.min(), weight.max()
    network = one_layer(weight, bits, 8, False, 5)
    made = bundle_for(network, "cortex-m55", tmp_path)
    q = np.vstack([random_inputs(network, 3, 20), np.full((1, 300), 255)]).astype(np.int32)
    found = made.executor(EXECUTOR).run(made, q, trace=True, options={})
    np.testing.assert_array_equal(found.outputs, simulate(network, q))
    assert made.manifest["metrics"]["target"]["layers"]["dense"]["kernel"] == "mve"


@needs_qemu
def test_metrics_leave_out_what_cannot_be_measured_and_counts_repeat(tmp_path: Path) -> None:
    made = run(random_network(2, (64, 24, 5), 2), tmp_path, 8)
    metrics = made.manifest["metrics"]["target"]
    assert metrics["flash_bytes"] > 0
    assert "instructions" not in metrics
    assert "Unicorn has no Cortex-M55" in metrics["kernels_chosen_by"]
    q = random_inputs(made.network, 3, 2)
    first, second = (made.executor(EXECUTOR).run(made, q, trace=False, options={}).measures for _ in range(2))
    assert abs(first["instructions"] - second["instructions"]) <= 1


@pytest.mark.slow
@needs_qemu
@pytest.mark.parametrize(("bits", "activations"), [(1, 2), (2, 2), (2, 4), (3, 3), (4, 4), (8, 8)])
def test_networks_of_every_width_are_exact(bits: int, activations: int, tmp_path: Path) -> None:
    run(random_network(bits, (70, 40, 16, 6), bits, activations, signed=bits == 3), tmp_path, 1000)


@pytest.mark.slow
@needs_qemu
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_int8_networks_are_exact_with_each_rounding(rounding: str, tmp_path: Path) -> None:
    run(int8_network(rounding, 3), tmp_path, 500, "tflite")


@pytest.mark.slow
@needs_qemu
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_spiking_networks_are_exact(encoding: str, tmp_path: Path) -> None:
    network, _ = random_spiking_network(np.random.default_rng(1), encoding)
    run(network, tmp_path, 500, "spiking")
