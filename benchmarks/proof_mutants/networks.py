"""Networks so small that every input can be run."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold

__all__ = ["mlp"]


def mlp(sizes: tuple[int, ...], seed: int) -> Network:
    """2-bit inputs, dense layers of 2-bit weights, three thresholds behind each but the last."""
    rng = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, 2, False))]
    x = rng.integers(0, 4, (500, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        dense = Dense(rng.integers(-2, 2, (outputs, inputs)), 2, rng.integers(-9, 10, outputs))
        nodes.append(Node(f"fc{index}", dense, (nodes[-1].name,)))
        acc = dense.evaluate(x)
        if index + 2 < len(sizes):
            rows = np.sort(np.quantile(acc, [0.3, 0.6, 0.8], axis=0).T.round().astype(np.int64), axis=1)
            nodes.append(Node(f"act{index}", Threshold(rows), (nodes[-1].name,)))
            x = nodes[-1].layer.evaluate(acc)
    return Network("net", tuple(nodes), Output(np.array([1.0])))
