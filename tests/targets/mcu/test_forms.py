"""Every form of network on every emulated core: spiking in five encodings, int8 with each rounding rule."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, trace
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.mcu.cores import UNICORN_CORES, core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.runner import NetworkRunner

from ...network.spiking.random_networks import ENCODINGS
from ...network.spiking.random_networks import random_network as random_spiking_network
from .networks import random_inputs

VECTORS = 1000
default_and_slow = pytest.mark.parametrize(
    "name", ["m4", *(pytest.param(name, marks=pytest.mark.slow) for name in UNICORN_CORES if name != "m4")]
)


def int8_network(rounding: str, seed: int) -> Network:
    """20 → 18 → 5, per channel (per tensor for the rule `shift`), a sigmoid-like table at the end."""
    generator = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(20, np.array([0.1]), np.array([0.0]), -3, 8, True))]
    for index, (inputs, outputs) in enumerate([(20, 18), (18, 5)]):
        weight = generator.integers(-127, 128, (outputs, inputs))
        dense = Dense(weight, 8, generator.integers(-3000, 3000, outputs), -3)
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        if rounding == "shift":
            factors = (np.array([2**30]), np.array([-9]))
        else:
            multiplier = generator.integers(2**30, 2**31, outputs)
            factors = (
                multiplier & ~0x7F if rounding == "fp32_rne" else multiplier,
                generator.integers(-10, -6, outputs),
            )
        fraction = generator.integers(0, 2**22, outputs) if rounding == "float64_away" else None
        low = -3 if index == 0 else -128
        nodes.append(Node(f"scale{index}", Requantize(*factors, rounding, -3, low, 127, fraction), (nodes[-1].name,)))
    table = np.clip(np.rint(256 / (1 + np.exp(-np.arange(-128, 128) / 32))) - 128, -128, 127).astype(np.int64)
    nodes.append(Node("table", Lookup(table), (nodes[-1].name,)))
    return Network("net", tuple(nodes), Output(np.array([1.0])))


def runs_exactly(network: Network, name: str, q: np.ndarray) -> None:
    chip = core(name)
    firmware = firmware_files(network, chip, {})
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, trace=True)), firmware.program)
    outputs, layers = runner.trace(q)
    expected = trace(network, q)
    for layer, values in layers.items():
        np.testing.assert_array_equal(values, expected[layer], layer)
    np.testing.assert_array_equal(outputs, expected[network.nodes[-1].name])


@default_and_slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_spiking_networks_are_exact(name: str, encoding: str) -> None:
    network, _ = random_spiking_network(np.random.default_rng(1), encoding)
    runs_exactly(network, name, random_inputs(network, 2, 50 if name == "m4" else VECTORS))


@default_and_slow
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_int8_networks_are_exact_with_each_rounding(name: str, rounding: str) -> None:
    network = int8_network(rounding, 3)
    runs_exactly(network, name, random_inputs(network, 2, 200 if name == "m4" else VECTORS))
