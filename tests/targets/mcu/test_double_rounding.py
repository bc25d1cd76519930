"""The short form of double rounding is golden's beside every kind of tie, on every core."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.requantize import Requantize
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import firmware_files
from tests.targets.mcu.test_forms import default_and_slow, runs_exactly

CHANNELS = 600
_RIGHT = "edgeml_requantize_double_rounding_right("


def near_ties(seed: int, lowest_shift: int, bits: int = 30, low: int = -128, high: int = 127) -> Network:
    """Accumulators beside ties of both roundings, in both signs, and at the ends of `bits` bits."""
    generator = np.random.default_rng(seed)
    shift = generator.integers(lowest_shift, 0, CHANNELS)
    multiplier = generator.integers(2**30, 2**31, CHANNELS)
    multiplier[::5] = 2**30  # products that the first rounding leaves as they are: ties of the second one are reached
    factor = multiplier / 2.0**31 * 2.0**shift
    bias = np.rint((generator.integers(-140, 140, CHANNELS) + 0.5) / factor) + generator.integers(-1, 2, CHANNELS)
    largest = 2**bits - 1 - 3 * 2
    bias = np.clip(bias, -largest, largest)
    bias[:4] = (largest, -largest, 0, -1)
    nodes = (
        Node("input", InputQuantizer(1, np.array([1.0]), np.zeros(1), 0, 3, True)),
        Node("dense", Dense(generator.integers(-1, 2, (CHANNELS, 1)), 8, bias.astype(np.int64), 0), ("input",)),
        Node("scale", Requantize(multiplier, shift, "double_rounding", 3, low, high), ("dense",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


def one_factor(channels: int, low: int, high: int) -> Network:
    """The same with one factor, which channels share: sums beside ties, and past both ends of the output."""
    generator = np.random.default_rng(channels)
    multiplier, shift = 1_503_238_553, -4
    bias = np.rint((generator.integers(-300, 300, channels) + 0.5) / (multiplier / 2.0**31 * 2.0**shift))
    bias += generator.integers(-1, 2, channels)
    scale = Requantize(np.array([multiplier]), np.array([shift]), "double_rounding", 0, low, high)
    nodes = (
        Node("input", InputQuantizer(1, np.array([1.0]), np.zeros(1), 0, 3, True)),
        Node("dense", Dense(generator.integers(-1, 2, (channels, 1)), 8, bias.astype(np.int64), 0), ("input",)),
        Node("scale", scale, ("dense",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


def source(network: Network) -> str:
    return "".join(text for path, text in firmware_files(network, core("m4"), {}).files.items() if path.endswith(".c"))


@default_and_slow
@pytest.mark.parametrize(("low", "high"), [(-128, 127), (3, 120)])
def test_every_channel_is_exact_beside_ties(name: str, low: int, high: int) -> None:
    network = near_ties(1, -31, low=low, high=high)
    assert _RIGHT in source(network)
    runs_exactly(network, name, np.arange(-4, 4, dtype=np.int32)[:, None])


@pytest.mark.parametrize("channels", [1, 2, 301])
@pytest.mark.parametrize(("low", "high"), [(0, 127), (-128, 127), (0, 100)])
def test_channels_of_one_factor_are_exact_beside_ties_and_past_both_ends(channels: int, low: int, high: int) -> None:
    network = one_factor(channels, low, high)
    assert _RIGHT in source(network)
    runs_exactly(network, "m4", np.arange(-4, 4, dtype=np.int32)[:, None])


@pytest.mark.parametrize(("bits", "shift"), [(31, -3), (20, 0), (20, 2)])
def test_wider_sums_and_shifts_to_the_left_take_the_general_form(bits: int, shift: int) -> None:
    network = near_ties(2, -9, bits=bits)
    nodes = list(network.nodes)
    layer = nodes[2].layer
    assert isinstance(layer, Requantize)
    shifts = layer.shift.copy()
    shifts[7] = shift
    scale = Requantize(layer.multiplier, shifts, "double_rounding", 3, -128, 127)
    wide = Network("net", (*nodes[:2], Node("scale", scale, ("dense",))), network.output)
    assert _RIGHT not in source(wide)
    runs_exactly(wide, "m4", np.arange(-4, 4, dtype=np.int32)[:, None])
