"""The C of probabilities is golden's, on this machine and on emulated cores, at extremes of int32 and of scales."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeml.network import Network, Output
from edgeml.network.probabilities import probabilities_of
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import cpu_dialect
from edgeml.targets.cpu.native_sensor import NativeSensor
from edgeml.targets.mcu.cores import core
from tests.targets.cpu.bodies import the_compiler
from tests.targets.mcu.networks import random_network

SCALES = (1e-12, 1e-9, 3e-7, 1e-4, 0.01, 0.0435, 0.3, 5.0, 1e30)


def of_scale(scale: float, classes: int = 7) -> Network:
    return dataclasses.replace(random_network(1, (4, classes), 2), output=Output(np.array([scale])))


def outputs_for(scale: float, classes: int, count: int) -> np.ndarray:
    """Output integers [count, classes]: of the ends of int32, and near one another by what the table tells apart."""
    generator = np.random.default_rng(round(1e6 * (scale % 1)))
    near = int(min(16 / scale, 2**30)) + 2
    outputs = generator.integers(-near, near, (count, classes))
    ends = generator.choice([-(2**31), 2**31 - 1, -(2**31) + 1, 0, 1], (count, classes))
    return np.where(generator.random((count, 1)) < 0.2, ends, outputs).astype(np.int32)


@pytest.mark.parametrize(
    "scale",
    [
        SCALES[0],
        SCALES[4],
        SCALES[7],
        *(pytest.param(s, marks=pytest.mark.slow) for s in (*SCALES[1:4], *SCALES[5:7], SCALES[8])),
    ],
)
def test_c_gives_goldens_probabilities(scale: float) -> None:
    the_compiler()
    network = of_scale(scale)
    probabilities = probabilities_of(network)
    assert probabilities is not None
    outputs = outputs_for(scale, 7, 3000)
    found = NativeSensor(generate(network, cpu_dialect())).probabilities(outputs)
    np.testing.assert_array_equal(found, probabilities.evaluate(outputs))


@pytest.mark.parametrize("name", ["m0", pytest.param("rv32", marks=pytest.mark.slow)])
def test_a_core_gives_goldens_probabilities(name: str) -> None:
    pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.image_build import library_image
    from edgeml.targets.mcu.runner import NetworkRunner

    network, chip = of_scale(0.01), core(name)
    firmware = firmware_files(network, chip, {})
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, sensor=True)), firmware.program)
    outputs = outputs_for(0.01, 7, 60)
    probabilities = probabilities_of(network)
    assert probabilities is not None
    np.testing.assert_array_equal(runner.probabilities(outputs), probabilities.evaluate(outputs))


def test_networks_without_classes_have_no_such_file() -> None:
    network = dataclasses.replace(random_network(1, (4, 3), 2), output=Output(np.array([0.1]), task="values"))
    assert not [name for name in generate(network, cpu_dialect()).files if "probabilities" in name]
