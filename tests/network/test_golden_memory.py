"""Simulating holds a few batches of activations, whatever the number of samples."""

from __future__ import annotations

import tracemalloc

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.golden import DEFAULT_BATCH

WIDTH = 512


def test_peak_memory_is_a_few_batches_of_the_widest_layer_and_does_not_grow_with_depth_or_samples() -> None:
    generator = np.random.default_rng(0)
    nodes = [Node("input", InputQuantizer(8, np.ones(1), np.zeros(1), 0, 2, False))]
    for index in range(6):
        inputs = 8 if index == 0 else WIDTH
        weight = generator.integers(-1, 2, (WIDTH, inputs))
        nodes.append(Node(f"dense{index}", Dense(weight, 2, np.zeros(WIDTH, int)), (nodes[-1].name,)))
        thresholds = np.sort(generator.integers(-9, 9, (WIDTH, 3)), axis=1)
        nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
    nodes.append(Node("out", Dense(generator.integers(-1, 2, (1, WIDTH)), 2, np.zeros(1, int)), (nodes[-1].name,)))
    network = Network("deep", tuple(nodes), Output(np.ones(1)))
    q = generator.integers(0, 4, (20 * DEFAULT_BATCH, 8), dtype=np.int32)
    simulate(network, q[:1])  # the weights' float copies are made once and are not activations
    tracemalloc.start()
    simulate(network, q)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_batch = DEFAULT_BATCH * WIDTH * 8
    assert peak < 5 * one_batch
