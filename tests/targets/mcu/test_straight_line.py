"""Sums written out term by term give golden's integers, and are chosen where counting says that they pay."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.errors import CheckFailed
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.network_file import write
from edgeml.pipeline import convert
from edgeml.profile import load_profile
from edgeml.targets.c import generate
from edgeml.targets.c.dense_kernels.straight_line import StraightLineKernel
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu import McuTarget
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.dialect import core_kernels, dialect_for, dialect_with
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.kernel_choice import KernelCost, quickest
from edgeml.targets.mcu.measure import choose_kernels, measure
from edgeml.targets.mcu.runner import NetworkRunner

from .networks import random_inputs

WAYS = {kernel.name: kernel for kernel in (StraightLineKernel(words=False), StraightLineKernel(words=True))}


def sparse(generator: np.random.Generator, shape: tuple[int, int], most: int, density: float) -> np.ndarray:
    """Weights of which so many are not zero; the first row has none, the second has the largest of both signs."""
    weight = generator.integers(1, most + 1, shape) * generator.choice([-1, 1], shape)
    weight[generator.random(shape) >= density] = 0
    weight[0] = 0
    weight[1, :2] = -most, most
    return weight


def network_of(
    seed: int,
    sizes: tuple[int, ...],
    most: int,
    levels: int,
    input_bits: int,
    signed: bool = False,
    density: float = 0.2,
) -> Network:
    """Sparse layers with thresholds in between: some of each channel within what it reaches, some beyond."""
    generator = np.random.default_rng(seed)
    quantizer = InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, input_bits, signed)
    nodes = [Node("input", quantizer)]
    bits = 2 if most <= 1 else most.bit_length() + 1
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        dense = Dense(sparse(generator, (outputs, inputs), most, density), bits, generator.integers(-9, 9, outputs))
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        if index < len(sizes) - 2:
            reach = Network("reach", tuple(nodes), Output(np.array([1.0]))).ranges[f"dense{index}"]
            middle, half = (reach.low + reach.high) // 2, (reach.high - reach.low) // 4 + 1
            thresholds = np.sort(generator.integers(-half[:, None], half[:, None] + 1, (outputs, levels)), 1)
            thresholds += middle[:, None]
            thresholds[2:4, -1] = reach.high[2:4] + 1
            thresholds[3:5, 0] = reach.low[3:5]
            nodes.append(Node(f"threshold{index}", Threshold(thresholds, 0), (nodes[-1].name,)))
    return Network("net", tuple(nodes), Output(np.array([1.0])))


@pytest.mark.parametrize("core", ["m0", "m4", "rv32"])
@pytest.mark.parametrize(
    ("most", "levels", "input_bits", "signed"), [(1, 3, 2, False), (2, 1, 8, True), (1, 7, 3, False), (127, 3, 8, True)]
)
def test_each_way_is_exact_on_each_core(core: str, most: int, levels: int, input_bits: int, signed: bool) -> None:
    network = network_of(most, (37, 21, 9), most, levels, input_bits, signed)
    for name in ("straight_line", "straight_line_words") if CORES[core].dsp and most <= 2 else ("straight_line",):
        firmware = firmware_files(network, CORES[core], dict.fromkeys(("net_layer_dense0", "net_layer_dense1"), name))
        stages = {stage.job.prefix: stage for stage in firmware.program.layout.stages}
        assert [stages[f"net_layer_dense{index}"].code.kernel for index in (0, 1)] == [name, name]
        assert (len(stages["net_layer_dense0"].job.nodes) == 2) == (levels <= 3), "thresholds are part of the sums"
        image = library_image(firmware, CORES[core])
        q = random_inputs(network, 1, 12)
        found = NetworkRunner(Emulator(CORES[core], image), firmware.program).invoke(q)
        np.testing.assert_array_equal(found, simulate(network, q))


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("seed", range(3))
def test_other_compilers_get_the_same_integers(name: str, seed: int) -> None:
    """On this machine, read byte by byte, and several samples one after the other."""
    most, levels, bits = [(2, 3, 8), (1, 1, 1), (2, 2, 5)][seed]
    network = network_of(seed, (30, 19, 18, 3), most, levels, bits, signed=seed == 0, density=0.3)
    dialect = replace(dialect_for((WAYS[name], *core_kernels(CORES["m0"]))), tile=4)
    native = NativeNetwork(network, dialect, flags=("-O1", "-DEDGEML_PORTABLE"))
    q = random_inputs(network, seed, 64)
    kernels = [stage.code.kernel for stage in generate(network, dialect).layout.stages]
    assert kernels.count(name) >= 2
    np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


def test_sums_at_both_ends_of_32_bits_are_exact() -> None:
    """Bias and products reach the last integers that C can name; one lower, and the kernel does not apply."""
    weight = np.zeros((2, 4), np.int64)
    weight[0, 0], weight[1, 1] = 127, -128
    kernels = (WAYS["straight_line"], *core_kernels(CORES["m0"]))
    for over in (0, 1):
        bias = np.array([2**31 - 1 - 127 * 255, -(2**31) + 1 + 128 * 255 - over])
        nodes = (
            Node("input", InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 8, False)),
            Node("dense", Dense(weight, 8, bias), ("input",)),
        )
        network = Network("net", nodes, Output(np.array([1.0])))
        program = generate(network, dialect_for(kernels))
        assert (program.layout.stages[1].code.kernel == "straight_line") == (not over)
        native = NativeNetwork(network, replace(dialect_for(kernels), tile=4), flags=("-O1", "-ftrapv"))
        q = np.array([[0, 0, 0, 0], [255, 255, 0, 0]], np.int32)
        np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


@pytest.mark.parametrize("core", ["m0", "m4"])
def test_neurons_of_six_inputs_get_straight_lines_for_a_third_of_the_instructions(core: str) -> None:
    network = network_of(5, (64, 32, 4), 1, 3, 2, density=6 / 64)
    chip = CORES[core]
    chosen = choose_kernels(network, chip)
    assert chosen["net_layer_dense0"].startswith("straight_line")
    own = measure(firmware_files(network, chip, chosen), chip)
    packed = measure(firmware_files(network, chip, {}), chip)
    assert 2.5 * (own.instructions or 1e9) < (packed.instructions or 0)
    size = choose_kernels(network, chip, "size")
    assert not size["net_layer_dense0"].startswith("straight_line"), "their code is larger than packed weights"


def test_dense_layers_do_not_try_them() -> None:
    network = network_of(5, (64, 32, 4), 1, 3, 2, density=0.6)
    layout = firmware_files(network, CORES["m4"], {"net_layer_dense0": "straight_line"}).program.layout
    assert [stage.code.kernel for stage in layout.stages if stage.name == "dense0"] == ["w2_dsp"]
    assert dialect_with(CORES["m4"], {}).dense_kernels[-1].name == "rows"


def test_a_part_without_the_flash_gets_smaller_kernels(tmp_path: Path) -> None:
    network = network_of(5, (64, 32, 4), 1, 3, 2, density=6 / 64)
    write(network, tmp_path / "net.edgeml")
    profile = load_profile("cortex-m4")
    large = McuTarget().emit(network, profile, tmp_path / "large")
    assert large["kernels"]["net_layer_dense0"].startswith("straight_line")
    limited = replace(profile, values={**profile.values, "flash_bytes": large["flash_bytes"] - 1})
    small = McuTarget().emit(network, limited, tmp_path / "small")
    assert small["flash_bytes"] < large["flash_bytes"]
    assert small["instructions"] > large["instructions"]
    nothing = replace(profile, values={**profile.values, "flash_bytes": 900})
    with pytest.raises(CheckFailed, match="flash"):
        McuTarget().emit(network, nothing, tmp_path / "none")
    bundle = convert(str(tmp_path / "net.edgeml"), to="quantized", target="cortex-m4", output=str(tmp_path / "bundle"))
    alone = McuTarget().emit(bundle.network, profile, tmp_path / "alone")  # without what no output depends on
    assert bundle.manifest["metrics"]["target"]["kernels"] == alone["kernels"]


def test_flash_must_pay_clearly_unless_speed_is_wanted() -> None:
    costs = {
        "a": [KernelCost(100, 900, "packed"), KernelCost(220, 300, "straight_line")],
        "b": [KernelCost(100, 400, "packed"), KernelCost(150, 300, "w2_words")],
        "c": [KernelCost(100, 309, "packed"), KernelCost(300, 300, "straight_line")],
        "d": [KernelCost(100, 336, "w4_dsp"), KernelCost(200, 300, "w8_dsp")],
    }
    assert quickest(costs) == {"a": "straight_line", "b": "packed", "c": "packed", "d": "w4_dsp"}
    assert quickest(costs, "speed") == {"a": "straight_line", "b": "w2_words", "c": "packed", "d": "w8_dsp"}
    assert quickest(costs, "size") == {**dict.fromkeys("abc", "packed"), "d": "w4_dsp"}


def test_bytes_are_saved_where_they_cost_the_fewest_instructions() -> None:
    costs = {
        "a": [KernelCost(100, 900, "packed"), KernelCost(220, 300, "straight_line")],
        "b": [KernelCost(100, 400, "packed"), KernelCost(150, 300, "w2_words")],
    }
    assert quickest(costs, "speed", save=1) == {"a": "straight_line", "b": "packed"}
    assert quickest(costs, "speed", save=51) == dict.fromkeys("ab", "packed")
    assert quickest(costs, save=1) == dict.fromkeys("ab", "packed")
