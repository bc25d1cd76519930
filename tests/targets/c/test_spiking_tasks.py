"""Two small tasks that need time, solved by integer networks that run the same in golden and C: learned delays, and a
reservoir with a trained readout."""

from __future__ import annotations

import itertools

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, argmax, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models import NeuronModel

from .test_spiking import assert_equal

ORDERS = ((0, 3, 5), (5, 3, 0), (0, 5, 2))
STEPS = 12


def orders(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples [count, STEPS · 3] of one spike per channel in one of three orders, shifted in time; and which order."""
    y = rng.integers(0, len(ORDERS), count)
    x = np.zeros((count, STEPS, 3), np.int32)
    for sample, (order, shift) in enumerate(zip(y, rng.integers(0, 3, count), strict=True)):
        x[sample, np.array(ORDERS[order]) + shift, range(3)] = 1
    return x.reshape(count, -1), y


def coincidence_network(delays: np.ndarray) -> Network:
    """Neurons that fire only where their three inputs arrive in one step."""
    neurons = len(delays)
    layer = LeakyNeurons(
        NeuronModel(decay="subtract"),
        STEPS,
        np.ones((neurons, 3), int),
        2,
        np.full(neurons, 3),
        np.zeros(neurons, int),
        np.full(neurons, 3),
        np.zeros(neurons, int),
        np.zeros(neurons, int),
        None,
        delays,
    )
    nodes = (
        Node("input", InputQuantizer(STEPS * 3, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("delays", layer, ("input",)),
        Node("counts", SpikeReadout(STEPS, neurons, "sum"), ("delays",)),
    )
    return Network("order_task", nodes, Output(np.ones(1)))


def test_delays_learned_from_samples_tell_orders_apart() -> None:
    rng = np.random.default_rng(0)
    x, y = orders(rng, 60)
    candidates = np.array(list(itertools.product(range(6), repeat=3)))
    fires = simulate(coincidence_network(candidates), x) > 0
    # Each class takes the delays that fire most for it and least for the others: learning by exhaustive search.
    scores = [(fires[y == c].mean(axis=0) - fires[y != c].mean(axis=0)) for c in range(len(ORDERS))]
    network = coincidence_network(candidates[np.argmax(scores, axis=1)])
    x_test, y_test = orders(np.random.default_rng(1), 200)
    assert np.mean(argmax(simulate(network, x_test)) == y_test) == 1.0
    assert_equal(network, x_test[:20])


def reservoir_network(readout: np.ndarray, bias: np.ndarray) -> Network:
    """Forty recurrent leaky neurons, fixed at random; spike counts; a linear readout."""
    rng = np.random.default_rng(3)
    size = 40
    layer = LeakyNeurons(
        NeuronModel(decay="multiply", decay_bits=8),
        STEPS,
        rng.integers(-40, 64, (size, 3)),
        8,
        np.full(size, 60),
        np.zeros(size, int),
        rng.integers(150, 250, size),
        np.zeros(size, int),
        np.zeros(size, int),
        rng.integers(-24, 26, (size, size)),
        None,
        rng.integers(1, 4, (size, size)),
    )
    nodes = (
        Node("input", InputQuantizer(STEPS * 3, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("reservoir", layer, ("input",)),
        Node("counts", SpikeReadout(STEPS, size, "sum"), ("reservoir",)),
        Node("readout", Dense(readout, 8, bias), ("counts",)),
    )
    return Network("reservoir_task", nodes, Output(np.ones(1)))


def test_a_reservoir_with_a_trained_readout_tells_orders_apart() -> None:
    x, y = orders(np.random.default_rng(0), 300)
    untrained = reservoir_network(np.eye(40, dtype=int), np.zeros(40, int))
    counts = simulate(untrained, x)
    features = np.column_stack([counts, np.ones(len(x))]).astype(float)
    ridge = np.linalg.solve(features.T @ features + 0.1 * np.eye(41), features.T @ (np.eye(3)[y] - 1 / 3))
    scale = 127 / np.abs(ridge[:40]).max()
    network = reservoir_network(np.rint(ridge[:40].T * scale).astype(int), np.rint(ridge[40] * scale).astype(int))
    x_test, y_test = orders(np.random.default_rng(1), 300)
    assert np.mean(argmax(simulate(network, x_test)) == y_test) > 0.95
    assert_equal(network, x_test[:20])
