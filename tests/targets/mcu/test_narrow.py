"""Biases and thresholds in the narrowest type that holds them: exact at every border of every type, and smaller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, trace
from edgeml.targets.c import generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.layers.threshold import _narrowest
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.dialect import core_kernels, dialect_for
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.kernels.begin import begin
from edgeml.targets.mcu.runner import NetworkRunner

from .networks import random_inputs

BIASES = {  # lowest and highest, and the type that holds them
    "none": (0, 0, ""),
    "s8": (-128, 127, "int8_t"),
    "s16 above": (0, 128, "int16_t"),
    "s16 below": (-129, 0, "int16_t"),
    "s16": (-(2**15), 2**15 - 1, "int16_t"),
    "s32": (-(2**15) - 1, 2**20, "int32_t"),
}


def network_with(bias: tuple[int, int], spread: int, levels: int, middle: int = 0, weight_bits: int = 2) -> Network:
    """13 → 17 → 3 with biases over a range and thresholds `middle` ± `spread` around what the layer gives."""
    generator = np.random.default_rng(levels)
    limit = 1 << (weight_bits - 1)
    biases = generator.integers(bias[0], bias[1] + 1, 17)
    biases[:2] = bias
    thresholds = np.sort(generator.integers(middle - spread, middle + spread + 1, (17, levels)), axis=1)
    thresholds[0, 0], thresholds[1, -1] = middle - spread, middle + spread
    thresholds[3, :], thresholds[4, :] = -(2**31), 2**31 - 1
    nodes = (
        Node("input", InputQuantizer(13, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("a", Dense(generator.integers(-limit, limit, (17, 13)), weight_bits, biases), ("input",)),
        Node("b", Threshold(thresholds, -1), ("a",)),
        Node("c", Dense(generator.integers(-2, 2, (3, 17)), 2, np.array([5, -6, 7])), ("b",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


def assert_exact(network: Network, name: str, every_kernel: bool = False) -> None:
    chip = core(name)
    expected = trace(network, q := random_inputs(network, 1, 12))
    for kernel in core_kernels(chip)[: None if every_kernel else 1]:
        firmware = firmware_files(network, chip, {"net_layer_a": kernel.name, "net_layer_c": kernel.name})
        runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, trace=True)), firmware.program)
        for layer, values in runner.trace(q)[1].items():
            np.testing.assert_array_equal(values, expected[layer], f"{kernel.name}, {layer}")
        if every_kernel:
            continue
        dialect = replace(dialect_for((kernel, RowsKernel()), compared=255), tile=4)
        for layer, values in NativeNetwork(network, dialect, flags=("-O1", "-DEDGEML_PORTABLE")).trace(q).items():
            np.testing.assert_array_equal(values, expected[layer], f"{kernel.name} on this machine, {layer}")


@pytest.mark.parametrize(("low", "high", "ctype"), BIASES.values(), ids=list(BIASES))
def test_a_bias_takes_the_narrowest_type(low: int, high: int, ctype: str) -> None:
    made = begin("p", np.array([low, high] * 10), 20, -7, 9)
    assert [array.ctype for array in made.constants] == ([ctype] if ctype else [])
    assert (made.argument == "y") == (ctype != "int32_t")


@pytest.mark.parametrize("bias", BIASES)
def test_biases_of_every_type_are_exact(bias: str) -> None:
    assert_exact(network_with(BIASES[bias][:2], 300, 3), "m4" if bias == "s16" else "m0")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m0", "m4", "rv32"])
@pytest.mark.parametrize("bias", ["none", "s8", "s16", "s32"])
@pytest.mark.parametrize("weight_bits", [2, 8])
def test_biases_of_every_type_are_exact_with_every_kernel(name: str, bias: str, weight_bits: int) -> None:
    assert_exact(network_with(BIASES[bias][:2], 300, 3, weight_bits=weight_bits), name, every_kernel=True)


@pytest.mark.parametrize(
    ("smallest", "largest", "bits", "centre"),
    [
        (-128, 127, 8, 0),
        (-128, 128, 16, 0),
        (-129, 125, 8, -2),
        (0, 254, 8, 127),
        (0, 255, 16, 0),
        (-32768, 32767, 16, 0),
        (-32768, 32768, 32, 0),
        (5, 65539, 16, 32772),
        (5, 65540, 32, 0),
    ],
)
def test_thresholds_are_stored_in_the_narrowest_type_that_holds_them(
    smallest: int, largest: int, bits: int, centre: int
) -> None:
    assert _narrowest(np.array([smallest, 0 if smallest < 0 else smallest, largest]), -100_000, 100_000) == (
        bits,
        centre,
    )


@pytest.mark.parametrize(
    ("spread", "levels", "middle", "stored"),
    [
        (60, 3, 0, "int8_t"),
        (127, 3, 200, "int8_t"),
        (127, 7, -200, "int8_t"),
        (128, 3, 0, "int16_t"),
        (300, 15, 40, "int16_t"),
        (40_000, 3, 0, "int32_t"),
        (40_000, 6, 0, "int32_t"),
    ],
)
def test_thresholds_of_every_type_are_exact(spread: int, levels: int, middle: int, stored: str) -> None:
    wide = {"int8_t": 20, "int16_t": 900, "int32_t": 60_000}[stored]
    network = network_with((-wide, wide), spread, levels, middle)
    narrow = Threshold(np.sort(np.clip(network.nodes[2].layer.thresholds, middle - spread, middle + spread)), -1)
    if stored == "int8_t":  # thresholds that are never reached stand for the end of the range, which is wide here
        nodes = (*network.nodes[:2], replace(network.nodes[2], layer=narrow), network.nodes[3])
        network = replace(network, nodes=nodes)
    program = generate(network, dialect_for(core_kernels(core("m0")), compared=255))
    assert program.layout.stages[2].name == "b"
    (array,) = program.layout.stages[2].code.constants
    assert array.ctype == stored
    assert_exact(network, "m0")
