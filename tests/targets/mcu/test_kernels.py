"""Every kernel on every core gives golden's integers, for any shape and the worst weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.targets.c import generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.dialect import core_kernels, dialect_for
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.kernels import LanesKernel, W2DspKernel, W4DspKernel, W4PairsKernel, W8BlockKernel, W8DspKernel
from edgeml.targets.mcu.kernels.segments import segment_ranges, widest_segment
from edgeml.targets.mcu.runner import NetworkRunner

from .networks import dense_weights, random_inputs

KERNELS = (
    LanesKernel(2, 4),
    LanesKernel(2, 2),
    LanesKernel(4, 2),
    W2DspKernel(),
    W4DspKernel(),
    W4PairsKernel(),
    W8DspKernel(),
    W8BlockKernel(),
)
NAMES = [kernel.name for kernel in KERNELS]


def one_layer(weight: np.ndarray, bits: int, input_bits: int, signed: bool, seed: int) -> Network:
    quantizer = InputQuantizer(weight.shape[1], np.array([1.0]), np.array([0.0]), 0, input_bits, signed)
    bias = np.random.default_rng(seed).integers(-(2**20), 2**20, weight.shape[0])
    nodes = (Node("input", quantizer), Node("dense", Dense(weight, bits, bias), ("input",)))
    return Network("net", nodes, Output(np.array([1.0])))


def runs_exactly(network: Network, kernel: object, core: str, count: int = 6) -> None:
    program = generate(network, dialect_for((kernel, RowsKernel())))
    assert program.layout.stages[1].code.kernel == kernel.name
    files = {(f"src/{path}"): text for path, text in program.files.items()}
    image = library_image(Firmware(program, files), CORES[core])
    q = random_inputs(network, 1, count)
    found = NetworkRunner(Emulator(CORES[core], image), program).invoke(q)
    np.testing.assert_array_equal(found, simulate(network, q))


@pytest.mark.parametrize(
    "core", ["m0", "m4", "rv32", *(pytest.param(core, marks=pytest.mark.slow) for core in ("m3", "m7", "m33"))]
)
@pytest.mark.parametrize(("bits", "input_bits"), [(2, 2), (2, 8), (4, 4), (4, 8), (8, 8)])
def test_each_kernel_of_a_core_is_exact_on_random_layers(core: str, bits: int, input_bits: int) -> None:
    weight = dense_weights(np.random.default_rng(bits), (21, 83), bits)
    network = one_layer(weight, bits, input_bits, input_bits == 8, 3)
    ran = 0
    for kernel in core_kernels(CORES[core]):
        program = generate(network, dialect_for((kernel, RowsKernel())))
        if program.layout.stages[1].code.kernel == kernel.name:
            runs_exactly(network, kernel, core)
            ran += 1
    assert ran


@pytest.mark.parametrize("core", ["m0", "m4"])
@pytest.mark.parametrize("value", [-2, 1])
def test_fields_hold_the_worst_sums(core: str, value: int) -> None:
    """All weights at one end of their range, all inputs at 255: sums as far out as they can be."""
    network = one_layer(np.full((16, 640), value), 2, 8, False, 5)
    kernel = W2DspKernel() if core == "m4" else LanesKernel(2, 2)
    runs_exactly(network, kernel, core, 3)


@settings(max_examples=12)
@given(
    index=st.integers(0, len(KERNELS) - 1),
    outputs=st.integers(1, 40),
    inputs=st.integers(1, 90),
    input_bits=st.integers(1, 8),
    signed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_portable_bodies_are_exact_on_this_machine(
    index: int, outputs: int, inputs: int, input_bits: int, signed: bool, seed: int
) -> None:
    """The same packed weights through the bodies that other compilers get."""
    kernel = KERNELS[index]
    bits = 8 if "w8" in kernel.name else 4 if "w4" in kernel.name else 2
    weight = dense_weights(np.random.default_rng(seed), (outputs, inputs), bits)
    network = one_layer(weight, bits, input_bits, signed, seed)
    dialect = replace(dialect_for((kernel, RowsKernel())), tile=4)
    native = NativeNetwork(network, dialect, flags=("-O1", "-DEDGEML_PORTABLE"))
    q = random_inputs(network, seed, 4)
    last = native.trace(q)["dense"]
    np.testing.assert_array_equal(last, simulate(network, q))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), inputs=st.integers(1, 200), field=st.sampled_from([8, 14, 16, 18]))
def test_segments_are_the_longest_whose_sums_fit(seed: int, inputs: int, field: int) -> None:
    generator = np.random.default_rng(seed)
    weight = generator.integers(-2, 2, (5, inputs)).astype(np.int32)
    low, high = np.zeros(inputs, np.int64), generator.integers(0, 256, inputs)
    bits, movable = np.full(5, field, np.int64), np.ones(5, bool)
    found = widest_segment(weight, low, high, bits, movable)
    limit = 1 << (field - 1)

    def fits(length: int, shift: int) -> bool:
        down, up = segment_ranges(weight, low, high, length)
        return bool(down.min() + shift >= -limit and up.max() + shift < limit)

    if found is None:
        assert not any(fits(8, shift) for shift in range(-limit, limit))
        return
    length, shift = found
    assert fits(length, shift)
    if length < inputs:
        down, up = segment_ranges(weight, low, high, length + 8)
        assert up.max() - down.min() >= 2 * limit


def test_instruction_counts_repeat_exactly() -> None:
    network = one_layer(dense_weights(np.random.default_rng(0), (16, 64), 2), 2, 2, False, 1)
    program = generate(network, dialect_for((W2DspKernel(), RowsKernel())))
    files = {(f"src/{path}"): text for path, text in program.files.items()}
    image = library_image(Firmware(program, files), CORES["m4"])
    counts = set()
    for _ in range(3):
        _, call = NetworkRunner(Emulator(CORES["m4"], image), program).counted(random_inputs(network, 1, 2)[1])
        counts.add((call.instructions, call.stack, tuple(sorted(call.by_layer.items()))))
    assert len(counts) == 1


@pytest.mark.parametrize(
    ("core", "kernel", "bits", "input_bits", "most"),
    [
        ("m4", W2DspKernel(), 2, 8, 1.2),
        ("m4", W2DspKernel(), 2, 2, 0.8),
        ("m4", W8DspKernel(), 8, 8, 1.6),
        ("m0", LanesKernel(2, 2), 2, 8, 3.5),
        ("m0", LanesKernel(2, 4), 2, 2, 1.7),
    ],
    ids=["m4-2x8", "m4-2x2", "m4-8x8", "m0-2x8", "m0-2x2"],
)
def test_instructions_per_multiply_accumulate(
    core: str, kernel: object, bits: int, input_bits: int, most: float
) -> None:
    """The step of a 128 → 128 layer, packing of its inputs included; a count, so no timing."""
    weight = np.random.default_rng(0).choice([-1, 0, 1], (128, 128)) if bits == 2 else None
    weight = dense_weights(np.random.default_rng(0), (128, 128), bits) if weight is None else weight
    network = one_layer(weight, bits, input_bits, False, 1)
    program = generate(network, dialect_for((kernel, RowsKernel())))
    files = {(f"src/{path}"): text for path, text in program.files.items()}
    image = library_image(Firmware(program, files), CORES[core])
    _, call = NetworkRunner(Emulator(CORES[core], image), program).counted(random_inputs(network, 1, 2)[1])
    (count,) = [value for name, value in call.by_layer.items() if name.endswith("dense")]
    assert count / 128**2 <= most
