"""Networks of the int8 and the spiking form, small enough to simulate as hardware."""

from __future__ import annotations

import numpy as np

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.neurons import Neurons
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import float32_parts, float64_parts, quantize_multiplier
from tests.network.spiking.random_networks import random_network

__all__ = ["int8_network", "mixed_network", "requantize", "spiking_network"]


def requantize(rounding: str, eff: np.ndarray, **fields: object) -> Requantize:
    """A layer with these factors (with `shift`, the powers of two below them)."""
    if rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(eff)
        return Requantize(multiplier, shift, rounding, fraction=fraction, **fields)
    if rounding == "shift":
        eff = 2.0 ** np.floor(np.log2(eff))
    return Requantize(*(float32_parts(eff) if rounding == "fp32_rne" else quantize_multiplier(eff)), rounding, **fields)


def _factors(rng: np.random.Generator, channels: int, reach: int) -> np.ndarray:
    """Factors that bring accumulators up to `reach` near 8 bits: per tensor or per channel, powers of two (ties!)."""
    spread = rng.uniform(-2, 2, channels if rng.random() < 0.6 else 1)
    exponent = np.log2(200 / reach) + spread
    return 2.0 ** (np.rint(exponent) if rng.random() < 0.5 else exponent)


def int8_network(seed: int, rounding: str, widest: int = 9, *, bytes_only: bool = False) -> Network:
    """Dense and requantizing layers by one rule; some with a table, a residual sum, outputs past 8 bits."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, widest + 1))
    nodes = [Node("input", InputQuantizer(size, np.array([0.1]), np.array([0.0]), int(rng.integers(-9, 9)), 8, True))]
    before, zero_point, reach, last = "input", int(nodes[0].layer.zero_point), 128, None
    for k in range(int(rng.integers(1, 4))):
        outputs = int(rng.integers(1, widest + 1))
        bits = int(rng.integers(2, 9))
        weight = rng.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1), (outputs, size))
        dense = Dense(weight, bits, rng.integers(-(2 ** rng.integers(1, 14)), 2**12, outputs), zero_point)
        nodes.append(Node(f"dense{k}", dense, (before,)))
        eff = _factors(rng, outputs, max(int(np.abs(weight).sum(axis=1).max()) * reach, 1))
        zero_point = int(rng.integers(-20, 20))
        low, high = (-128, 127) if rng.random() < 0.8 or bytes_only else (-500, 900)
        scale = requantize(rounding, eff, zero_point=zero_point, low=max(low, zero_point) if k else low, high=high)
        nodes.append(Node(f"scale{k}", scale, (f"dense{k}",)))
        before, size, reach = f"scale{k}", outputs, max(-low, high)
        if last is not None and last[1] == outputs:
            nodes.append(Node(f"sum{k}", Add(), (before, last[0])))
            clip = requantize("shift", np.array([1.0]), zero_point=-zero_point, low=-128, high=127)
            nodes.append(Node(f"clip{k}", clip, (f"sum{k}",)))
            before, reach = f"clip{k}", 128
        elif reach == 128 and rng.random() < 0.4:
            table = rng.integers(-128, 128, 256)
            nodes.append(Node(f"table{k}", Lookup(table), (before,)))
            before = f"table{k}"
        last = (before, outputs)
    return Network("int8", tuple(nodes), Output(np.array([1.0])))


def spiking_network(seed: int, encoding: str) -> Network:
    """A random network, some of them with residual paths; one in three takes its input directly."""
    return random_network(np.random.default_rng(seed), encoding, "direct" if seed % 3 == 0 else None)[0]


def mixed_network(first: str, second: str) -> Network:
    """Two layers of neurons with an encoding each."""
    thresholds = np.tile(np.arange(1, 4), (2, 1))
    dense = Dense(np.array([[1, -1], [-2, 1]]), 2, np.zeros(2, np.int64))
    nodes = [
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 2, False)),
        Node("spikes", InputSpikes(2, first, 0, 3), ("input",)),
        Node("dense0", dense, ("spikes",)),
        Node("neurons0", Neurons(thresholds, first), ("dense0",)),
        Node("dense1", dense, ("neurons0",)),
        Node("neurons1", Neurons(thresholds, second), ("dense1",)),
        Node("dense2", dense, ("neurons1",)),
    ]
    return Network("mixed", tuple(nodes), Output(np.ones(1)))
