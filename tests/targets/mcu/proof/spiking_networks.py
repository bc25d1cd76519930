"""A small network of exact spikes that has a whole group of eight inputs, and some behind it."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons

__all__ = ["eight"]


def eight(encoding: str, inputs: int = 9) -> Network:
    """9-3-2: inputs of 2 bits, weights −2 … 2 of which none of the first layer is 0, three thresholds."""
    rng = np.random.default_rng(4)
    first = np.where((weight := rng.integers(-2, 2, (3, inputs))) == 0, 2, weight)
    second = np.array([[1, -2, 3], [2, 1, -1]])
    nodes = (
        Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 2, False)),
        Node("spikes", InputSpikes(inputs, encoding, 0, 3), ("input",)),
        Node("fc", Dense(first, 3, np.array([1, -2, 3])), ("spikes",)),
        Node("act", Neurons(np.array([[-5, 0, 4], [-3, -1, 6], [-2, 3, 9]]), encoding), ("fc",)),
        Node("out", Dense(second, 3, np.array([0, 5])), ("act",)),
    )
    return Network("net", nodes, Output(np.ones(1)))
