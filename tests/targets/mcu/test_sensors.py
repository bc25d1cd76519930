"""Firmware that makes input integers of real numbers and raw counts, on emulated cores: floats in software."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.targets.c.sensors.counts import Count, count_lines
from edgeml.targets.mcu.cores import UNICORN_CORES, core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.runner import NetworkRunner
from tests.sweeps import cases, seed_for

from ..c.sensors.sensed import NETWORKS, floats_for, of_floats

COUNTS = (Count(0.01), Count(-0.02, 3.0))


def runs_exactly(name: str, number: int, seed: int, count: int) -> None:
    """Floats there and back, and raw counts, on a core."""
    network, chip = NETWORKS[number], core(name)
    counts = () if network.input_size % 2 else COUNTS
    if network.name == "extremes":
        counts = ()
    firmware = firmware_files(network, chip, {}, counts)
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, sensor=True)), firmware.program)
    quantizer = network.quantizer
    x = floats_for(quantizer, seed, count)
    np.testing.assert_array_equal(runner.quantize(x), of_floats(quantizer, x))
    generator = np.random.default_rng(seed)
    outputs = generator.integers(-(2**31), 2**31, (count, 3)).astype(np.int32)
    np.testing.assert_array_equal(runner.dequantize(outputs), network.output.real(outputs).astype(np.float32))
    if counts:
        raw = generator.integers(-(2**15), 2**15, (count, network.input_size)).astype(np.int16)
        lines = count_lines(quantizer, counts)
        ends = quantizer.zero_point, quantizer.low, quantizer.high
        expected = [[line.integer(int(c), *ends) for line, c in zip(lines, row, strict=True)] for row in raw]
        np.testing.assert_array_equal(runner.quantize_counts(raw), expected)


@pytest.mark.parametrize("name", ["m0", "m4", "rv32"])
def test_a_core_makes_the_quantizers_integers(name: str) -> None:
    runs_exactly(name, 1, 5, 150)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("number", range(len(NETWORKS)))
@pytest.mark.parametrize("name", UNICORN_CORES)
def test_many_floats_become_the_quantizers_integers_on_a_core(name: str, number: int) -> None:
    runs_exactly(name, number, seed_for(number), cases(20_000) // NETWORKS[number].input_size + 1)
