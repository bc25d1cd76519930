"""2-bit layers on cores with SMLAD as words, and with their thresholds: golden's integers, and when they are taken."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.targets.c import generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.dialect import dialect_for
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.kernels import W2LevelsKernel, W2WordsKernel
from edgeml.targets.mcu.measure import choose_kernels, measure
from edgeml.targets.mcu.runner import NetworkRunner

from .networks import random_inputs, random_network

KERNELS = {kernel.name: kernel for kernel in (W2LevelsKernel(), W2WordsKernel())}


def network_of(seed: int, sizes: tuple[int, ...], levels: int, input_bits: int, signed: bool = False) -> Network:
    """Weights −2 … 1, one channel at each end; thresholds within, at the ends of and beyond what channels reach."""
    generator = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(sizes[0], np.ones(1), np.zeros(1), 0, input_bits, signed))]
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = generator.integers(-2, 2, (outputs, inputs))
        weight[0], weight[-1] = generator.choice([-2, 1], 2)
        dense = Dense(weight, 2, generator.integers(-(2**20), 2**20, outputs))
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        if index < len(sizes) - 2:
            reach = Network("reach", tuple(nodes), Output(np.ones(1))).ranges[f"dense{index}"]
            low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
            at = generator.integers(low[:, None] - 3, high[:, None] + 4, (outputs, levels))
            at[::3, -1], at[1::3, 0] = high[::3], low[1::3] + 1
            nodes.append(Node(f"threshold{index}", Threshold(np.sort(at, axis=1), 0), (nodes[-1].name,)))
    return Network("net", tuple(nodes), Output(np.ones(1)))


def chosen(network: Network, name: str) -> list[str]:
    dialect = dialect_for((KERNELS[name], RowsKernel()))
    return [stage.code.kernel for stage in generate(network, dialect).layout.stages if stage.code.kernel]


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("levels", "input_bits", "signed"), [(3, 4, False), (1, 2, False), (2, 7, True)])
def test_each_is_exact_on_a_core(name: str, levels: int, input_bits: int, signed: bool) -> None:
    network = network_of(levels, (29, 21, 8, 5), levels, input_bits, signed)
    wanted = {f"net_layer_dense{index}": name for index in range(2 if name == "w2_levels" else 3)}
    firmware = firmware_files(network, CORES["m4"], wanted)
    stages = {stage.job.prefix: stage for stage in firmware.program.layout.stages}
    assert [stages[prefix].code.kernel for prefix in wanted] == [name] * len(wanted)
    assert len(stages["net_layer_dense0"].job.nodes) == 2, "thresholds are part of the stage"
    q = random_inputs(network, 1, 40)
    runner = NetworkRunner(Emulator(CORES["m4"], library_image(firmware, CORES["m4"])), firmware.program)
    np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))


@settings(max_examples=6)
@given(
    name=st.sampled_from(sorted(KERNELS)),
    inputs=st.integers(1, 90),
    outputs=st.integers(1, 40),
    levels=st.integers(1, 3),
    input_bits=st.integers(1, 8),
    signed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_other_compilers_get_the_same_integers(
    name: str, inputs: int, outputs: int, levels: int, input_bits: int, signed: bool, seed: int
) -> None:
    network = network_of(seed, (inputs, outputs, 3), levels, input_bits, signed)
    dialect = replace(dialect_for((KERNELS[name], RowsKernel())), tile=4)
    native = NativeNetwork(network, dialect, flags=("-O1", "-DEDGEML_PORTABLE"))
    q = random_inputs(network, seed, 16)
    np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", KERNELS)
def test_twenty_thousand_vectors_are_exact_on_a_core(name: str) -> None:
    from tests.sweeps import cases, seeds

    for seed in seeds(900, 10):
        network = network_of(seed, (8 + seed % 60, 3 + seed % 31, 7, 4), 1 + seed % 3, 1 + seed % 8, bool(seed % 2))
        firmware = firmware_files(network, CORES["m4"], {f"net_layer_dense{index}": name for index in range(3)})
        runner = NetworkRunner(Emulator(CORES["m4"], library_image(firmware, CORES["m4"])), firmware.program)
        q = random_inputs(network, seed, max(cases(2_000), 2))
        np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))


def test_sums_beyond_the_fields_are_left_to_others() -> None:
    """Fourteen bits hold what 64 inputs of 8 bits give at weights of one sign, not what 65 do."""

    def columns(inputs: int) -> Network:
        nodes = (
            Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 8, False)),
            Node("dense", Dense(np.ones((4, inputs), np.int64), 2, np.zeros(4, np.int64)), ("input",)),
            Node("threshold", Threshold(np.full((4, 1), 255 * inputs), 0), ("dense",)),
        )
        return Network("net", nodes, Output(np.ones(1)))

    assert chosen(columns(64), "w2_levels") == ["w2_levels"]
    assert chosen(columns(65), "w2_levels") == ["rows"]
    assert chosen(random_network(4, (8, 8, 3), 4), "w2_words") == ["rows", "rows"], "weights of 4 bits"
    assert chosen(random_network(2, (8, 8, 3), 2, 3), "w2_words") == ["w2_words", "w2_words"], "seven thresholds apart"


@pytest.mark.parametrize("name", KERNELS)
def test_either_half_of_four_outputs_may_be_wider_than_the_lower_field(name: str) -> None:
    """The first or the last two of each word have sums of more than 14 bits, at thresholds about all of them."""
    generator = np.random.default_rng(4)
    weight = generator.integers(-1, 1, (16, 70))
    wide = np.array([0, 1, 6, 7, 10, 11, 12, 13])
    weight[wide] = generator.choice([-2, 1], (len(wide), 70))
    reach = 255 * np.stack([np.minimum(weight, 0).sum(1), np.maximum(weight, 0).sum(1)], axis=1)
    at = np.sort(generator.integers(reach[:, :1], reach[:, 1:] + 2, (16, 3)), axis=1)
    nodes = (
        Node("input", InputQuantizer(70, np.ones(1), np.zeros(1), 0, 8, False)),
        Node("dense0", Dense(weight, 2, np.zeros(16, np.int64)), ("input",)),
        Node("threshold", Threshold(at, 0), ("dense0",)),
    )
    network = Network("net", nodes, Output(np.ones(1)))
    assert chosen(network, name) == [name]
    firmware = firmware_files(network, CORES["m4"], {"net_layer_dense0": name})
    q = np.concatenate([random_inputs(network, 1, 30), 255 * (weight > 0), 255 * (weight < 0)]).astype(np.int32)
    runner = NetworkRunner(Emulator(CORES["m4"], library_image(firmware, CORES["m4"])), firmware.program)
    np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))
    native = NativeNetwork(
        network, replace(dialect_for((KERNELS[name], RowsKernel())), tile=4), flags=("-O1", "-DEDGEML_PORTABLE")
    )
    np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


def test_words_take_half_the_instructions_of_packed_weights_where_speed_is_wanted() -> None:
    network, chip = random_network(3, (64, 32, 32, 10), 2, input_bits=4), CORES["m4"]
    found = {}
    for wanted in ("balanced", "speed", "size"):
        found[wanted] = measure(firmware_files(network, chip, choose_kernels(network, chip, wanted)), chip)
    packed = measure(firmware_files(network, chip, dict.fromkeys(choose_kernels(network, chip), "w2_dsp")), chip)
    assert found["speed"].instructions < 0.65 * packed.instructions
    assert found["balanced"].instructions < 0.85 * packed.instructions
    assert found["balanced"].flash < 1.06 * packed.flash
    assert found["size"].flash <= found["balanced"].flash < 0.6 * found["speed"].flash


@pytest.mark.parametrize("signed", [False, True])
def test_inputs_beyond_their_range_are_clipped_on_a_core(signed: bool) -> None:
    generator = np.random.default_rng(5)
    for inputs, bits in ((1, 3), (4, 8), (7, 1), (8, 2), (23, 5), (37, 7)):
        quantizer = InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, bits, signed)
        weight = generator.integers(-128, 128, (3, inputs))
        nodes = (Node("input", quantizer), Node("dense", Dense(weight, 8, np.zeros(3, np.int64)), ("input",)))
        network = Network("net", nodes, Output(np.ones(1)))
        firmware = firmware_files(network, CORES["m4"], {})
        runner = NetworkRunner(Emulator(CORES["m4"], library_image(firmware, CORES["m4"])), firmware.program)
        q = generator.integers(-128 if signed else 0, 128 if signed else 256, (12, inputs)).astype(np.int32)
        q[0], q[1] = q.min(), q.max()
        clipped = np.clip(q, quantizer.low, quantizer.high)
        np.testing.assert_array_equal(runner.invoke(q), simulate(network, clipped))
