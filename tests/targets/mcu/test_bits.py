"""Layers on packed bits on emulated cores: golden's integers, at least expense."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Network, simulate, trace
from edgeml.targets.mcu.cores import UNICORN_CORES, core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.layers_alone import layers_alone, traced_image
from edgeml.targets.mcu.runner import NetworkRunner
from tests.sweeps import cases, seed_for

from ..c.encode_networks import bits_network, inputs_for
from .networks import bundle_for


def firmware_with(network: Network, name: str, kernel: str) -> Firmware:
    """With one of the kernels of bits; without, the stage behind the input has another."""
    chip = core(name)
    prefix = firmware_files(network, chip, {}).program.layout.stages[1].job.prefix
    firmware = firmware_files(network, chip, {prefix: kernel})
    assert firmware.program.layout.stages[1].code.kernel == kernel
    return firmware


def runs_exactly(network: Network, name: str, kernel: str, count: int) -> None:
    """At every layer that has a place in memory, and each stage alone."""
    chip, firmware = core(name), firmware_with(network, name, kernel)
    emulator = Emulator(chip, traced_image(firmware, chip))
    q = inputs_for(network, 1, count)
    _, found = NetworkRunner(emulator, firmware.program).trace(q)
    expected = trace(network, q)
    for layer, values in found.items():
        np.testing.assert_array_equal(values, expected[layer], err_msg=f"{network.name}, {name}, layer {layer}")
    layers_alone(emulator, firmware.program)


@pytest.mark.parametrize(
    "name", ["m0", "m4", "rv32", *(pytest.param(c, marks=pytest.mark.slow) for c in ("m3", "m7", "m33"))]
)
def test_bits_are_counted_exactly_on_a_core(name: str) -> None:
    for seed in (200, 201, 203, 204):
        runs_exactly(bits_network(seed), name, "bits_single" if seed % 2 else "bits_pairs", 12)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("kernel", ["bits_pairs", "bits_single"])
@pytest.mark.parametrize("name", UNICORN_CORES)
def test_many_vectors_are_counted_exactly_on_a_core(name: str, kernel: str) -> None:
    """20,000 vectors in all for 3 layers, both optimizations, at an odd address of the caller's input."""
    chip = core(name)
    for number in range(3):
        network = bits_network(seed_for(5 * number + 300 + number), 45)
        firmware = firmware_with(network, name, kernel)
        q = inputs_for(network, 2, cases(20_000 // 3))
        emulator = Emulator(chip, library_image(firmware, chip, optimize="-Os" if number % 2 else "-O2"))
        emulator.allocate(1, 1)
        np.testing.assert_array_equal(NetworkRunner(emulator, firmware.program).invoke(q), simulate(network, q))


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
@pytest.mark.parametrize("seed", [200, pytest.param(203, marks=pytest.mark.slow)])
def test_bits_are_counted_exactly_on_a_cortex_m55(seed: int, tmp_path: Path) -> None:
    network = bits_network(seed)
    made = bundle_for(network, "cortex-m55", tmp_path)
    q = inputs_for(network, 3, 40)
    found = made.executor("qemu-mps3-an547").run(made, q, trace=True, options={})
    np.testing.assert_array_equal(found.outputs, simulate(network, q))
