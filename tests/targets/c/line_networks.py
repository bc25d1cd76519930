"""Networks whose thresholds are the rounding of lines, some of them moved off it."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold

__all__ = ["line_network"]


def line_network(seed: int, levels: int, weight_bits: int, channels: int = 33, moved: int = 0) -> Network:
    """24 inputs of 8 bits → channels → thresholds → 2 values; lines as a calibration gives them, one channel never
    reached, one always, one whose range ends among its thresholds, and `moved` thresholds off their line."""
    generator = np.random.default_rng(seed)
    limit = 1 << (weight_bits - 1)
    dense = Dense(
        generator.integers(-limit, limit, (channels, 24)), weight_bits, generator.integers(-900, 900, channels)
    )
    source = InputQuantizer(24, np.array([1.0]), np.array([0.0]), 0, 8, False)
    nodes = [Node("input", source), Node("a", dense, ("input",))]
    ends = Network("ends", tuple(nodes), Output(np.array([1.0]))).ranges["a"]
    span = ends.high - ends.low
    step = span * generator.uniform(0.1, 0.4, channels) / (levels + 1)
    first = span * generator.uniform(-0.05, 0.05, channels)
    rows = np.ceil(first[:, None] + step[:, None] * (np.arange(levels) + 0.5)).astype(np.int64)
    rows[1], rows[2] = ends.high[1] + 1 + np.arange(levels), ends.low[2] - np.arange(levels)[::-1]
    rows[3] += int(ends.high[3] - rows[3, levels // 2])
    for channel in range(4, 4 + moved):
        level = int(generator.integers(levels))
        rows[channel, level] += int(step[channel] // 3) * (1 if level % 2 else -1)
    act = Threshold(np.sort(np.clip(rows, -(2**31), 2**31 - 1), axis=1).astype(np.int32), -3)
    nodes += [
        Node("b", act, ("a",)),
        Node("c", Dense(generator.integers(-2, 2, (2, channels)), 2, np.array([5, -6])), ("b",)),
    ]
    return Network("net", tuple(nodes), Output(np.array([1.0])))
