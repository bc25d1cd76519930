"""Networks in which tensors of unlike ranges stand side by side."""

from __future__ import annotations

import numpy as np

from edgeml.network import Concat, Dense, InputQuantizer, Network, Node, Output, Threshold

INPUTS = 6


def concatenated(bits: int, seed: int = 0) -> Network:
    """A DenseNet of two layers: each takes the input's levels, which are signed, and those before it, which are not."""
    random = np.random.default_rng((seed, bits))
    levels = (1 << bits) - 1

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(random.integers(-2, 2, (outputs, inputs)), 2, random.integers(-9, 9, outputs))

    def threshold(channels: int, low: int, reach: int) -> Threshold:
        rows = np.sort(random.integers(-reach, reach, (channels, levels)), axis=1)
        return Threshold(rows.astype(np.int32), low)

    nodes = (
        Node("input", InputQuantizer(INPUTS, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("entry", threshold(INPUTS, -(1 << (bits - 1)), 8), ("input",)),
        Node("a", dense(9, INPUTS), ("input",)),
        Node("a_act", threshold(9, 0, 40), ("a",)),
        Node("both", Concat(INPUTS, 9), ("entry", "a_act")),
        Node("b", dense(7, 15), ("both",)),
        Node("b_act", threshold(7, 0, 8 << bits), ("b",)),
        Node("all", Concat(15, 7), ("both", "b_act")),
        Node("last", dense(4, 22), ("all",)),
    )
    return Network(f"joined_{bits}_{seed}", nodes, Output(np.ones(1)))


def inputs(count: int) -> np.ndarray:
    """int32 [count, INPUTS], both ends among them."""
    q = np.random.default_rng(0).integers(-8, 8, (count, INPUTS)).astype(np.int32)
    q[:2] = [[-8] * INPUTS, [7] * INPUTS]
    return q
