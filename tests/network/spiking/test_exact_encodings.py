"""The spikes of every exact encoding are the quantized integers, at every layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeml.errors import NetworkError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, golden, network_file, simulate
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.encodings import ENCODINGS as ENCODINGS_BY_NAME
from edgeml.network.spiking.encodings import encoding
from edgeml.network.spiking.schedule import Schedule
from edgeml.network.spiking.time_stepped import run
from tests.sweeps import cases, seeds

from .event_driven import run_events
from .random_networks import ENCODINGS, random_network


def wrong_values(encoding_name: str, seeds: range, *, direct: bool = False) -> tuple[int, int]:
    """(wrong integers, integers compared) over every layer of one random network per seed."""
    wrong = compared = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        network, q = random_network(rng, encoding_name, "direct" if direct else None)
        integers = golden.trace(network, q)
        spiking = run(network, q)
        for name, values in spiking.values.items():
            wrong += int(np.count_nonzero(values != integers[name]))
            compared += values.size
        wrong += int(np.count_nonzero(spiking.outputs != simulate(network, q)))
        compared += spiking.outputs.size
        for sample, events in enumerate(run_events(network, q[:2], np.random.default_rng(seed))):
            wrong += int(np.count_nonzero(events.outputs != spiking.outputs[sample]))
            for name, values in events.values.items():
                wrong += int(np.count_nonzero(values != integers[name][sample]))
                compared += values.size
    return wrong, compared


@pytest.mark.parametrize("name", ENCODINGS)
def test_time_stepped_and_event_driven_spikes_are_the_quantized_integers(name: str) -> None:
    wrong, compared = wrong_values(name, range(60))
    assert compared > 5000
    assert wrong == 0


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_first_layer_fed_with_integers_gives_the_same(name: str) -> None:
    assert wrong_values(name, range(1000, 1020), direct=True)[0] == 0


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", ENCODINGS)
def test_no_wrong_value_in_a_thousand_random_networks(name: str) -> None:
    wrong, compared = wrong_values(name, seeds(2000, 1000))
    assert compared > cases(100_000)
    assert wrong == 0


@pytest.mark.parametrize("name", ENCODINGS)
@settings(max_examples=60)
@given(
    thresholds=arrays(np.int32, st.tuples(st.integers(1, 3), st.integers(1, 15)), elements=st.integers(-40, 40)),
    potential=st.integers(-100, 100),
)
def test_firing_from_any_potential_counts_the_thresholds_reached(
    name: str, thresholds: np.ndarray, potential: int
) -> None:
    thresholds = np.sort(thresholds, axis=1)
    schedule = Schedule(thresholds)
    start = np.full((1, len(thresholds)), potential, np.int64) + schedule.charge
    code = encoding(name)
    spikes, membranes = code.fire(start, schedule)
    decoded = sum(s * code.weight(k, schedule.levels) for k, s in enumerate(spikes))
    expected = (potential >= thresholds).sum(axis=1)
    assert np.array_equal(np.asarray(decoded)[0], expected)
    assert len(membranes) == len(spikes)


@pytest.mark.parametrize(
    ("name", "spikes_of"),
    [
        ("unary", lambda a: a),
        ("sar", lambda a: np.bitwise_count(a)),
        ("ttfs", lambda a: a > 0),
        ("graded", lambda a: a > 0),
    ],
)
def test_spikes_per_value_are_what_the_encoding_promises(name: str, spikes_of) -> None:
    levels = 15
    values = np.arange(levels + 1)[None]
    spikes = encoding(name).encode(values, levels)
    assert np.array_equal(np.count_nonzero(spikes, axis=0)[0], np.asarray(spikes_of(values[0]), dtype=int))
    schedule = Schedule(np.tile(np.arange(1, levels + 1, dtype=np.int32), (levels + 1, 1)))
    fired, _ = encoding(name).fire(values + schedule.charge, schedule)
    assert np.array_equal(np.count_nonzero(fired, axis=0)[0], np.asarray(spikes_of(values[0]), dtype=int))


@pytest.mark.parametrize("order", range(20))
def test_stbif_comes_to_the_same_integers_under_any_order_of_events(order: int) -> None:
    network, q = random_network(np.random.default_rng(77), "stbif")
    golden_outputs = simulate(network, q)
    for sample, events in enumerate(run_events(network, q, np.random.default_rng(order))):
        assert np.array_equal(events.outputs, golden_outputs[sample])


def test_the_potential_of_stbif_neurons_never_loses_the_sum_of_their_inputs() -> None:
    rng = np.random.default_rng(5)
    schedule = Schedule(np.sort(rng.integers(-20, 20, (4, 7)), axis=1).astype(np.int32))
    currents = rng.integers(-9, 10, (12, 3, 4))
    spikes, membranes = ENCODINGS_BY_NAME["stbif"].react(  # type: ignore[attr-defined]
        currents, np.repeat(schedule.charge[None], 3, axis=0), schedule
    )
    paid = np.concatenate([np.zeros((4, 1), int), np.cumsum(schedule.increments, axis=1)], axis=1)
    given = spikes.sum(axis=0)
    assert np.array_equal(membranes[-1] + paid[np.arange(4), given], currents.sum(axis=0) + schedule.charge)


def test_synaptic_operations_are_spikes_times_nonzero_synapses() -> None:
    weight = np.array([[1, 0, -1], [1, 1, 0]])
    network = Network(
        "small",
        (
            Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 2, False)),
            Node("spikes", InputSpikes(3, "unary", 0, 3), ("input",)),
            Node("dense", Dense(weight, 2, np.zeros(2, int)), ("spikes",)),
        ),
        Output(np.ones(1)),
    )
    q = np.array([[3, 1, 2]], np.int32)
    assert run(network, q).synaptic_operations["dense"].tolist() == [3 * 2 + 1 * 1 + 2 * 1]
    assert run_events(network, q)[0].synaptic_operations == 9


def test_a_spiking_network_survives_its_file() -> None:
    network, q = random_network(np.random.default_rng(3), "ttfs")
    again = network_file.from_bytes(network_file.to_bytes(network))
    assert network_file.to_bytes(again) == network_file.to_bytes(network)
    assert np.array_equal(simulate(again, q), simulate(network, q))


def test_a_layer_without_spikes_is_refused_by_name() -> None:
    network = Network(
        "mixed",
        (
            Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 2, False)),
            Node("spikes", InputSpikes(2, "unary", 0, 3), ("input",)),
            Node("dense", Dense(np.ones((2, 2), int), 2, np.zeros(2, int)), ("spikes",)),
            Node("steps", Threshold(np.array([[1, 2], [1, 2]])), ("dense",)),
        ),
        Output(np.ones(1)),
    )
    with pytest.raises(NetworkError, match=r"steps.*threshold"):
        run(network, np.zeros((1, 2), np.int32))


def test_an_unknown_encoding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NetworkError, match="known: unary, sar"):
        Neurons(np.array([[1]]), "morse")
