"""A network on an emulated core, held against golden at every layer."""

from __future__ import annotations

import numpy as np

from edgeml.network import Network, trace
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.layers_alone import layers_alone, traced_image
from edgeml.targets.mcu.runner import NetworkRunner

__all__ = ["exact_on_core"]


def exact_on_core(network: Network, q: np.ndarray, name: str, optimize: str = "-O2") -> None:
    """Golden's integers for q [samples, inputs] at every layer, and of each layer alone at its extremes."""
    chip = core(name)
    firmware = firmware_files(network, chip, {})
    emulator = Emulator(chip, traced_image(firmware, chip, optimize))
    runner = NetworkRunner(emulator, firmware.program)
    expected = trace(network, q)
    for layer, values in runner.trace(q)[1].items():
        np.testing.assert_array_equal(values, expected[layer], err_msg=f"{network.name} on {name}, {layer}")
    assert layers_alone(emulator, firmware.program)
