"""Boolean functions of the input's bits, carried by spikes: the same integers, in one step."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.converters.spiking.exact import to_spikes
from edgeml.errors import InputError
from edgeml.network import Add, Dense, Network, Node, Output, Threshold, simulate
from edgeml.network.spiking.encodings import ENCODINGS
from edgeml.network.spiking.time_stepped import run
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.fpga.qonnx.writer import to_qonnx
from tests.targets.cpu.bodies import body_flags
from tests.targets.logic_networks import classifier, logic_inputs, random_logic


def _deep(seed: int) -> Network:
    """Functions, sums, neurons and sums."""
    rng = np.random.default_rng(seed)
    network = classifier(seed, classes=6, widths=(30, 24))
    nodes = (
        *network.nodes,
        Node("levels", Threshold(np.tile([1, 2, 3], (6, 1))), ("sums",)),
        Node("answer", Dense(rng.integers(-2, 2, (3, 6)), 2, np.zeros(3, np.int32)), ("levels",)),
    )
    return Network("deep", nodes, Output(np.ones(1)))


@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_spikes_give_the_integers_of_the_quantized_network_and_functions_take_one_step(encoding: str) -> None:
    for network in (classifier(3), _deep(4)):
        q = logic_inputs(network, 1, 200)
        spiking = to_spikes(network, encoding)
        found = run(spiking, q)
        np.testing.assert_array_equal(found.outputs, simulate(network, q))
        np.testing.assert_array_equal(simulate(spiking, q), simulate(network, q))
        (entry,) = (node.name for node in spiking.layers if node.layer.kind == "input_spikes")
        assert len(found.spikes[entry]) == 1


def test_the_c_of_spikes_behind_functions_is_exact() -> None:
    network = _deep(5)
    q = logic_inputs(network, 2, 100)
    native = NativeNetwork(to_spikes(network, "unary"), flags=body_flags("portable"))
    np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


def test_functions_behind_neurons_and_values_beside_functions_are_refused_by_name() -> None:
    nodes = list(_deep(4).nodes)
    ones = Threshold(np.ones((6, 1), np.int32))
    behind = [*nodes[:-2], Node("levels", ones, ("sums",))]
    behind.append(Node("late", random_logic(np.random.default_rng(1), 6, 4, 3), ("levels",)))
    with pytest.raises(InputError, match="layer late"):
        to_spikes(Network("behind", tuple(behind), Output(np.ones(1))), "unary")
    weight = np.ones((3, 24), np.int32)
    around = [*classifier(1).nodes, Node("past", Dense(weight, 2, np.zeros(3, np.int32)), ("encode",))]
    around.append(Node("both", Add(), ("sums", "past")))
    with pytest.raises(InputError, match=r"layer past.*encode"):
        to_spikes(Network("around", tuple(around), Output(np.ones(1))), "unary")


def test_qonnx_files_of_functions_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="layer logic0"):
        to_qonnx(classifier(1))
