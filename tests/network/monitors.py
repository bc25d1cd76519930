"""Networks with monitors for tests: random prototypes, and thresholds that some inputs pass and others do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeml.judging.monitor_fit import hidden_node
from edgeml.network import Monitor, Network, Prototypes, monitored
from edgeml.network.monitor import fraction_bits
from edgeml.network.task import BINARY

__all__ = ["inputs_for", "with_random_monitor"]


def inputs_for(network: Network, count: int, seed: int = 5) -> np.ndarray:
    """Random input integers [count, inputs] over the whole range, each sample within a part of it."""
    generator = np.random.default_rng(seed)
    low, high = network.quantizer.low, network.quantizer.high
    ends = np.sort(generator.integers(low, high + 1, (2, count, 1)), axis=0)
    return generator.integers(ends[0], ends[1] + 1, (count, network.input_size)).astype(np.int32)


def with_random_monitor(network: Network, seed: int = 3, hidden: bool = True) -> Network:
    """The network with a monitor that takes about a quarter of `inputs_for` for unknown by each of its thresholds."""
    generator = np.random.default_rng(seed)
    classes = 2 if network.task == BINARY else network.output_size
    names = [network.nodes[0].name]
    if hidden and (node := hidden_node(network)) is not None:
        names.append(node)
    prototypes = []
    for name in names:
        values = network.ranges[name]
        bits = fraction_bits(values)
        assert bits is not None
        low, high = values.bounds
        rows = generator.integers(0, ((high - low) << bits) + 1, (classes, values.channels))
        prototypes.append(Prototypes(name, bits, rows, 2**32 - 1))
    whole = replace(network, monitor=Monitor(0, *prototypes))
    seen = monitored(whole, inputs_for(whole, 400))
    distances = (seen.input_distance, seen.hidden_distance)
    limited = [
        replace(each, limit=int(np.quantile(distance, 0.75)))
        for each, distance in zip(prototypes, distances, strict=False)
    ]
    return replace(network, monitor=Monitor(int(np.quantile(seen.margin, 0.25)), *limited))
