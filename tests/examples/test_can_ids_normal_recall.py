"""The bias of `normal` is the least that gives the wanted share, and changes nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from examples.can_ids.normal_recall import with_normal_recall


def _network(bias: list[int]) -> Network:
    """Two inputs, three classes: outputs are the inputs and 0, beside the bias."""
    weight = np.array([[0, 0], [1, 0], [0, 1]], np.int32)
    entry = Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, False))
    dense = Node("classes", Dense(weight, 2, np.array(bias, np.int32)), ("input",))
    return Network("detector", (entry, dense), Output(np.ones(1), 0))


@pytest.mark.parametrize("wanted", [0.05, 0.5, 0.7, 0.71, 0.99])
def test_the_bias_is_the_least_whole_number_that_calls_so_many_normal(wanted):
    x = np.array([[each, 0] if each % 20 else [0, each] for each in range(0, 100, 10)])
    network = _network([5, 5, -5])
    found = with_normal_recall(network, simulate(network, x), wanted).nodes[-1].layer.bias.tolist()

    def share(normal: int) -> float:
        return float(np.mean(simulate(_network([normal, 5, -5]), x).argmax(axis=1) == 0))

    assert share(found[0]) >= wanted > share(found[0] - 1)
    assert found[1:] == [5, -5], "other classes keep their biases"
    assert network.nodes[-1].layer.bias.tolist() == [5, 5, -5], "the network given stays as it was"


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, float("nan")])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(InputError, match="normal-recall"):
        with_normal_recall(_network([0, 0, 0]), np.zeros((4, 3), np.int64), share)


def test_a_network_that_ends_in_another_layer_is_refused():
    network = _network([0, 0, 0])
    entry, dense = network.nodes
    relu = Node("relu", Threshold(np.zeros((3, 1), np.int32), 1), ("classes",))
    with pytest.raises(InputError, match="relu"):
        with_normal_recall(Network("detector", (entry, dense, relu), network.output), np.zeros((4, 3)), 0.5)
