"""The Loihi preset equals lava's bit-accurate model on all recorded runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.network import InputQuantizer, Network, Node, Output, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models.loihi import loihi, stored_weights
from edgeml.network.spiking.recording import record

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "loihi"


def loihi_network(case: dict[str, np.ndarray]) -> Network:
    """The recorded two-layer network in our integers."""
    steps, inputs = case["input_spikes"].shape
    nodes = [Node("input", InputQuantizer(steps * inputs, np.ones(1), np.zeros(1), 0, 1, False))]
    for k in (0, 1):
        weight = stored_weights(case[f"weights{k + 1}"])
        neurons = len(weight)

        def same(value: int, neurons: int = neurons) -> np.ndarray:
            return np.full(neurons, int(value))

        layer = LeakyNeurons(
            loihi(weight_exponent=int(case["weight_exp"][k])),
            steps,
            weight,
            8,
            same(case["vth"][k] << 6),
            same(4096 - (case["du"][k] + 1)),
            same(4096 - case["dv"][k]),
            same(case["bias_mant"][k] << case["bias_exp"][k]),
            same(0),
        )
        nodes.append(Node(f"layer{k + 1}", layer, (nodes[-1].name,)))
    return Network("recorded", tuple(nodes), Output(np.ones(1)))


@pytest.mark.parametrize("number", range(1, 9))
def test_currents_membranes_and_spikes_equal_the_recorded_run(number: int) -> None:
    path = RECORDED / f"case{number}.npz"
    if not path.exists():
        pytest.skip(f"recorded lava runs are not here ({path.name})")
    case = dict(np.load(path, allow_pickle=False))
    network = loihi_network(case)
    q = case["input_spikes"].reshape(1, -1).astype(np.int32)
    records = record(network, q)
    for layer in ("layer1", "layer2"):
        assert np.array_equal(records[layer].current[:, 0], case[f"{layer}_u"])
        assert np.array_equal(records[layer].membrane[:, 0], case[f"{layer}_v"])
        assert np.array_equal(records[layer].spikes[:, 0], case[f"{layer}_spikes"])
    assert case["layer1_spikes"].any()
    assert np.array_equal(simulate(network, q)[0].reshape(case["layer2_spikes"].shape), case["layer2_spikes"])


def test_a_mixed_sign_weight_loses_its_lowest_bit() -> None:
    assert stored_weights(np.array([-300, -3, -1, 0, 1, 255, 400])).tolist() == [-128, -2, -1, 0, 0, 127, 127]
