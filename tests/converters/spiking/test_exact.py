"""Quantized networks become spikes without a change of any integer."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.converters.spiking import to_spikes
from edgeml.errors import InputError
from edgeml.network import (
    Add,
    Dense,
    InputQuantizer,
    Network,
    Node,
    Output,
    Threshold,
    golden,
    simulate,
)
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.spiking.time_stepped import run

from ...network.spiking.event_driven import run_events

ENCODINGS = ("unary", "sar", "ttfs", "graded", "stbif")


def residual_network(seed: int = 0) -> Network:
    """Signed inputs and activations, a residual path, a table, thresholds out of reach: all that can occur."""
    rng = np.random.default_rng(seed)

    def dense(outputs: int, inputs: int, zero_point: int = 0) -> Dense:
        return Dense(rng.integers(-2, 2, (outputs, inputs)), 2, rng.integers(-4, 5, outputs), zero_point)

    unreachable = np.sort(rng.integers(-9, 9, (6, 7)), axis=1)
    unreachable[0, -2:] = 2**31 - 1
    return Network(
        "residual",
        (
            Node("input", InputQuantizer(5, np.ones(1), np.zeros(1), 1, 4, True)),
            Node("dense0", dense(6, 5, 1), ("input",)),
            Node("steps0", Threshold(unreachable, -4), ("dense0",)),
            Node("dense1", dense(6, 6, -1), ("steps0",)),
            Node("steps1", Threshold(np.tile(np.arange(-3, 12, 5), (6, 1))), ("dense1",)),
            Node("table", Lookup(np.array([-2, -2, 0, 3, 3, 3, 4, 9]), -4), ("steps0",)),
            Node("sum", Add(), ("table", "steps1")),
            Node("dense2", dense(3, 6), ("sum",)),
        ),
        Output(np.ones(1)),
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("input_encoding", [None, "direct"])
def test_every_layer_keeps_its_integers_and_its_spikes_carry_them(encoding: str, input_encoding: str | None) -> None:
    quantized = residual_network()
    spiking = to_spikes(quantized, encoding, input_encoding)
    q = np.random.default_rng(1).integers(-8, 8, (40, 5)).astype(np.int32)
    expected = golden.trace(quantized, q)
    assert np.array_equal(simulate(spiking, q), expected["dense2"])
    spikes = run(spiking, q)
    assert np.array_equal(spikes.outputs, expected["dense2"])
    for name in ("steps0", "steps1", "table"):
        assert np.array_equal(spikes.values[name], expected[name])
    for sample, events in enumerate(run_events(spiking, q, np.random.default_rng(2))):
        assert np.array_equal(events.outputs, expected["dense2"][sample])


def test_a_network_that_ends_in_thresholds_ends_in_spikes() -> None:
    quantized = residual_network()
    cut = Network("cut", quantized.nodes[:3], Output(np.ones(1)))
    q = np.random.default_rng(3).integers(-8, 8, (30, 5)).astype(np.int32)
    assert np.array_equal(run(to_spikes(cut, "stbif"), q).outputs, simulate(cut, q))


def test_one_threshold_per_neuron_is_made_on_request_and_changes_little() -> None:
    quantized = residual_network()
    q = np.random.default_rng(1).integers(-8, 8, (200, 5)).astype(np.int32)
    cut = Network("cut", quantized.nodes[:3], Output(np.ones(1)))
    even = to_spikes(cut, "graded", uniform=True)
    neurons = even.nodes[-1].layer
    assert neurons.schedule.uniform.all()
    assert np.array_equal(run(even, q).outputs, simulate(even, q))
    assert np.abs(simulate(even, q)[:, 1:] - simulate(cut, q)[:, 1:]).mean() < 1


def test_a_table_that_falls_is_refused_by_its_layer() -> None:
    network = residual_network()
    nodes = list(network.nodes)
    nodes[5] = Node("table", Lookup(np.array([3, 2, 1, 0, 0, 0, 0, 0]), -4), ("steps0",))
    with pytest.raises(InputError, match=r"table.*falls"):
        to_spikes(Network("n", tuple(nodes), Output(np.ones(1))), "unary")


def test_a_layer_of_the_int8_form_is_refused_by_its_layer() -> None:
    nodes = (
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 4, False)),
        Node("dense", Dense(np.ones((2, 2), int), 2, np.zeros(2, int)), ("input",)),
        Node("scale", Requantize(np.array([2**30]), np.array([0]), "double_rounding"), ("dense",)),
    )
    with pytest.raises(InputError, match=r"scale.*requantize"):
        to_spikes(Network("n", nodes, Output(np.ones(1))), "unary")


def test_unknown_encodings_are_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"encoding.*unary, sar, ttfs"):
        to_spikes(residual_network(), "morse")
    with pytest.raises(InputError, match=r"input_encoding.*direct"):
        to_spikes(residual_network(), "unary", "rate")
