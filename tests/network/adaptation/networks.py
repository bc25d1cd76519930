"""Small networks that adapt, of every width of weights, levels and biases."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.adaptation.derivation import Wanted, derive

__all__ = ["KINDS", "adapting_network", "drifted", "samples"]

KINDS = {
    "both": Wanted(windows_log2=2, guard=100, slots=3, replay=2),
    "offsets": Wanted(("offsets",), windows_log2=1, guard=0),
    "learning": Wanted(("last-layer",), slots=2, replay=0),
    "wide": Wanted(fraction=8, slots=2, replay=3, numerator=16, guard=0, windows_log2=2),
}
"""What adapts, by name."""
_LEVELS = {"both": 3, "offsets": 3, "learning": 1, "wide": 11}


def samples(network: Network, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [count, inputs], and the classes that the network takes them for, a fifth of them drawn instead."""
    generator, quantizer = np.random.default_rng(seed), network.quantizer
    q = generator.integers(quantizer.low, quantizer.high + 1, (count, quantizer.size)).astype(np.int32)
    drawn = generator.integers(0, network.output_size, count)
    return q, np.where(generator.integers(0, 5, count) == 0, drawn, simulate(network, q).argmax(axis=1))


@cache
def adapting_network(kind: str, seed: int = 0) -> Network:
    """12 inputs, layers of 9 and 7, 4 classes; "wide" has signed inputs and levels, 8-bit weights and large biases."""
    generator, wide, levels = np.random.default_rng(seed), kind == "wide", _LEVELS[kind]
    base, weight_bits = (-5, 8) if wide else (0, 3)
    end = 2 ** (weight_bits - 1)
    nodes = [Node("input", InputQuantizer(12, np.ones(1), np.zeros(1), 0, 8, wide))]
    size, source = 12, "input"
    for number, width in enumerate((9, 7)):
        weight = generator.integers(-end, end, (width, size)).astype(np.int32)
        dense = Dense(
            weight, weight_bits, generator.integers(-9, 9, width).astype(np.int32), 0 if number == 0 else base
        )
        nodes.append(Node(f"dense{number}", dense, (source,)))
        low, high = Network("n", (*nodes,), Output(np.ones(1))).ranges[f"dense{number}"].bounds
        thresholds = np.sort(generator.integers(low // 3, high // 3 + 1, (width, levels)), axis=1).astype(np.int32)
        nodes.append(Node(f"level{number}", Threshold(thresholds, base), (f"dense{number}",)))
        size, source = width, f"level{number}"
    bias = generator.integers(-9, 9, 4) * (20_000 if wide else 1)
    last = Dense(
        generator.integers(-end, end, (4, size)).astype(np.int32), weight_bits, bias.astype(np.int32), base + 2
    )
    network = Network(f"net_{kind}", (*nodes, Node("last", last, (source,))), Output(np.ones(1), task="classes"))
    q, y = samples(network, 60, seed)
    return replace(network, adaptation=derive(network, q, y, KINDS[kind]))


def drifted(network: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows in the upper half of the input's range, so that sums shift, and classes as in `samples`."""
    q, y = samples(network, 80, seed)
    middle = (network.quantizer.low + network.quantizer.high) // 2
    return np.where(q < middle, q + (network.quantizer.high - middle), q).astype(np.int32), y
