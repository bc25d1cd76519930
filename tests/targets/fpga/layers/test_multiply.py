"""The logic of products, for all pairs of factors: tables of few bits, sums of bit products of many."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Multiply, Network, Node, Output, Threshold, simulate
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from tests.targets.fpga.architectures.unrolled.evaluation import evaluate


def _network(bits: int, weights: tuple[int, int], biases: tuple[int, int], levels: int) -> Network:
    """The product of two inputs, each times a weight and plus a bias; `levels`: thresholds on it, 0 for none."""
    sides = [
        Dense(np.array([[weights[0], 0]]), 4, np.array([biases[0]])),
        Dense(np.array([[0, weights[1]]]), 4, np.array([biases[1]])),
    ]
    nodes = [
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, bits, False)),
        *(Node(name, side, ("input",)) for name, side in zip("ab", sides, strict=True)),
        Node("product", Multiply(), ("a", "b")),
    ]
    if levels:
        low, high = Network("net", tuple(nodes), Output(np.ones(1))).ranges["product"].bounds
        rows = np.linspace(low, high + 1, levels).astype(np.int32)[None]
        nodes.append(Node("act", Threshold(rows, -1), ("product",)))
    return Network("net", tuple(nodes), Output(np.ones(1)))


@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("biases", [(0, 0), (-3, 2), (-200, -1), (5, -8)])
@pytest.mark.parametrize(("bits", "weights"), [(1, (1, 1)), (2, (1, -1)), (3, (1, 1)), (4, (-1, 1)), (5, (3, -2))])
def test_all_pairs_of_factors(bits: int, weights: tuple[int, int], biases: tuple[int, int], levels: int) -> None:
    network = _network(bits, weights, biases, levels)
    values = np.arange(1 << bits)
    q = np.stack([each.ravel() for each in np.meshgrid(values, values)], axis=1).astype(np.int32)
    assert np.array_equal(evaluate(network_logic(network), q), simulate(network, q))


def test_factors_of_8_bits_at_their_ends_and_many_between() -> None:
    network = _network(8, (1, 1), (-128, 0), 0)
    q = np.random.default_rng(0).integers(0, 256, (20_000, 2)).astype(np.int32)
    q[:4] = [[0, 0], [0, 255], [255, 0], [255, 255]]
    assert np.array_equal(evaluate(network_logic(network), q), simulate(network, q))
