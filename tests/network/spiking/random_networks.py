"""Random exact spiking networks: 1 to 4 bits, up to five layers, uniform and unequal thresholds, residual paths."""

from __future__ import annotations

import numpy as np

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons

ENCODINGS = ("unary", "sar", "ttfs", "graded", "stbif")


def random_thresholds(rng: np.random.Generator, acc: np.ndarray, levels: int, uniform: bool) -> np.ndarray:
    """Thresholds within the values that an accumulator takes; unequal ones may coincide, or lie out of reach."""
    low, high = int(acc.min()) - 2, int(acc.max()) + 2
    channels = acc.shape[1]
    if uniform:
        step = rng.integers(1, max(2, (high - low) // levels + 1), channels)
        first = rng.integers(low, high + 1, channels)
        return first[:, None] + step[:, None] * np.arange(levels)
    return np.sort(rng.integers(low, high + 1, (channels, levels)), axis=1)


def random_network(
    rng: np.random.Generator, encoding: str, input_encoding: str | None = None
) -> tuple[Network, np.ndarray]:
    """A network of random depth, widths, bits and thresholds, and input integers for it."""
    input_bits = int(rng.integers(1, 5))
    signed = bool(rng.integers(2)) and input_bits > 1
    size = int(rng.integers(2, 9))
    quantizer = InputQuantizer(size, np.ones(1), np.zeros(1), 0, input_bits, signed)
    nodes = [
        Node("input", quantizer),
        Node("spikes", InputSpikes(size, input_encoding or encoding, quantizer.low, quantizer.high), ("input",)),
    ]
    q = rng.integers(quantizer.low, quantizer.high + 1, (6, size)).astype(np.int32)
    x, before, zero_point = q, "spikes", 0
    residual: tuple[str, np.ndarray] | None = None
    depth = int(rng.integers(1, 6))
    for k in range(depth):
        outputs = int(rng.integers(2, 9))
        bits = int(rng.integers(1, 5))
        if bits == 1:
            weight = rng.choice([-1, 1], (outputs, x.shape[1]))
        else:
            weight = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (outputs, x.shape[1]))
        # A negative gamma turns whole rows of weights round.
        weight = np.where(rng.random((outputs, 1)) < 0.2, np.clip(-weight, -(2 ** max(bits - 1, 0)), 1), weight)
        if bits == 1:
            weight = np.where(weight > 0, 1, -1)
        dense = Dense(weight, bits, rng.integers(-5, 6, outputs), zero_point)
        nodes.append(Node(f"dense{k}", dense, (before,)))
        acc, before = dense.evaluate(x), f"dense{k}"
        if residual is not None and residual[1].shape == acc.shape and rng.random() < 0.8:
            nodes.append(Node(f"sum{k}", Add(), (before, residual[0])))
            acc, before = acc + residual[1], f"sum{k}"
        if k == depth - 1 and rng.random() < 0.7:
            break
        levels = int(2 ** rng.integers(1, 5) - 1) if rng.random() < 0.7 else int(rng.integers(1, 16))
        base = int(rng.choice([0, 0, -(levels + 1) // 2]))
        thresholds = random_thresholds(rng, acc, levels, bool(rng.integers(2)))
        neurons = Neurons(thresholds, encoding, base)
        nodes.append(Node(f"neurons{k}", neurons, (before,)))
        x, before, zero_point = neurons.evaluate(acc), f"neurons{k}", int(rng.integers(-1, 2))
        residual = (before, x) if rng.random() < 0.5 else residual
    return Network("random", tuple(nodes), Output(np.ones(1))), q
