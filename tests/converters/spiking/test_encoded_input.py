"""Inputs as bits and as tables, carried by spikes: the same integers, in one step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.errors import InputError
from edgeml.network import Add, Dense, Encode, InputQuantizer, Network, Node, Output, Tables, Threshold, simulate
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL
from edgeml.network.spiking.encodings import ENCODINGS
from edgeml.network.spiking.measures import measure
from edgeml.network.spiking.time_stepped import run


def _network(ways: str, seed: int) -> Network:
    """Of five 4-bit inputs: `bits`, `tables`, or `both` as a sum."""
    rng = np.random.default_rng(seed)
    entry = InputQuantizer(5, np.ones(1), np.zeros(1), 0, 4, False)
    rule = np.repeat([BIT, LEVEL, EQUAL], [8, 4, 3])
    operand = np.concatenate([np.tile(np.arange(4), 2), rng.integers(1, 16, 7)])
    encode = Encode(rng.integers(0, 5, 15), rule, operand, 5)
    dense = Dense(rng.integers(-1, 2, (6, 15)), 2, rng.integers(-3, 4, 6))
    tables = Tables(rng.integers(-4, 4, (20, 6)), 3, rng.integers(0, 20, (3, 16)), np.array([4, 0, 2]), np.arange(6), 5)
    nodes = [Node("input", entry)]
    if ways != "tables":
        nodes += [Node("bits", encode, ("input",)), Node("sum_a", dense, ("bits",))]
    if ways != "bits":
        nodes.append(Node("sum_b", tables, ("input",)))
    if ways == "both":
        nodes.append(Node("sums", Add(), ("sum_a", "sum_b")))
    levels = np.sort(rng.integers(-6, 8, (6, 3)), axis=1)
    nodes.append(Node("levels", Threshold(levels), (nodes[-1].name,)))
    nodes.append(Node("answer", Dense(rng.integers(-1, 2, (3, 6)), 2, np.zeros(3, np.int32)), ("levels",)))
    return Network("encoded", tuple(nodes), Output(np.ones(1)))


@pytest.mark.parametrize("ways", ["bits", "tables", "both"])
@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_spikes_give_the_integers_of_the_quantized_network_and_the_input_takes_one_step(
    ways: str, encoding: str
) -> None:
    network = _network(ways, 11)
    q = np.random.default_rng(1).integers(0, 16, (400, 5)).astype(np.int32)
    spiking = to_spikes(network, encoding)
    found = run(spiking, q)
    assert np.array_equal(found.outputs, simulate(network, q))
    assert np.array_equal(simulate(spiking, q), simulate(network, q))
    (entry,) = (node.name for node in spiking.layers if node.layer.kind == "input_spikes")
    assert len(found.spikes[entry]) == 1


def test_inputs_that_enter_in_two_ways_that_are_no_sum_are_refused_by_name() -> None:
    network = _network("bits", 3)
    one_row, no_bias = np.ones((1, 6), np.int32), np.zeros(6, np.int32)
    extra = (
        Node("raw", Dense(np.ones((6, 5), np.int32), 2, no_bias), ("input",)),
        Node("tabled", Tables(one_row, 2, np.zeros((1, 16), np.int32), np.array([0]), no_bias, 5), ("input",)),
        Node("mixed", Add(), ("raw", "tabled")),
        Node("all", Add(), ("mixed", "sum_a")),
    )
    behind = [Node(node.name, node.layer, ("all",) if node.name == "levels" else node.inputs) for node in network.nodes]
    nodes = (*behind[:3], *extra, *behind[3:])
    with pytest.raises(InputError, match="layer raw"):
        to_spikes(Network("two_ways", nodes, network.output), "unary")


def test_tables_behind_neurons_are_refused_by_name() -> None:
    network = _network("tables", 3)
    last = Tables(np.ones((1, 3), np.int32), 2, np.zeros((1, 4), np.int32), np.array([0]), np.zeros(3, np.int32), 6)
    nodes = (*network.nodes[:-1], Node("answer", last, ("levels",)))
    with pytest.raises(InputError, match="layer answer"):
        to_spikes(Network("deep", nodes, network.output), "unary")


def test_sums_of_tables_cost_additions_in_the_quantized_form() -> None:
    found = measure(_network("both", 2), np.zeros((4, 5), np.int32))["layers"]
    assert found["sum_b"]["additions"] == 3 * 6
    assert found["sum_b"]["bytes_moved"] == 3 * 6 * (3 / 8 + 1)


@pytest.mark.parametrize("how", ["all=table", "2=thermometer:2,0=thermometer:2,1=table"])
def test_a_model_of_one_layer_behind_tables_is_exact_layer_by_layer(how: str) -> None:
    rng = np.random.default_rng(0)
    data = {"x": rng.integers(0, 2, (60, 3)).astype(np.float32), "y": rng.integers(0, 2, 60)}
    torch.manual_seed(0)
    options = {"encode": how, "input_bits": 3, "epochs": 0}
    bundle = edgeml.convert(torch.nn.Linear(3, 2), to="spiking", target="host", data=data, options=options)
    assert {verdict.status for verdict in edgeml.verify(bundle)} <= {"exact", "unavailable"}
