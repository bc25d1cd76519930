"""Classic spiking networks: ranges hold, files keep them, encoders and delays do what their equations say."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import NetworkError
from edgeml.network import InputQuantizer, Network, Node, Output, ValueRange, network_file, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.input_encoders import uniform_draws
from edgeml.network.spiking.measures import measure
from edgeml.network.spiking.models.neuron_model import NeuronModel
from edgeml.network.spiking.ranges import state_ranges
from edgeml.network.spiking.recording import record

from .random_classic import random_classic


def test_no_state_ever_leaves_its_derived_range() -> None:
    for seed in range(150):
        network, q = random_classic(np.random.default_rng(seed))
        records = record(network, q)
        for node in network.layers:
            if isinstance(node.layer, LeakyNeurons):
                current, membrane = state_ranges(node.layer, network.ranges[node.inputs[0]])
                assert current.contains(records[node.name].current), (seed, node.name)
                assert membrane.contains(records[node.name].membrane), (seed, node.name)
        assert network.ranges["output"].contains(simulate(network, q))


def test_the_range_holds_where_a_membrane_starts_past_its_threshold_and_is_reset_in_the_first_step() -> None:
    layer = neurons(np.array([[-5]]), 1, model=NeuronModel(reset="zero", reset_delay=1), initial=np.array([100]))
    membrane = layer.record(np.ones((1, 1), np.int32)).membrane
    assert membrane.tolist() == [[[-5]]]
    assert state_ranges(layer, ValueRange.uniform(1, 1, 1))[1].contains(membrane)


def test_a_classic_network_survives_its_file() -> None:
    for seed in range(20):
        network, q = random_classic(np.random.default_rng(seed))
        again = network_file.from_bytes(network_file.to_bytes(network))
        assert network_file.to_bytes(again) == network_file.to_bytes(network)
        assert np.array_equal(simulate(again, q), simulate(network, q))


def neurons(weight: np.ndarray, steps: int, **changes: object) -> LeakyNeurons:
    count = len(weight)
    fields = {
        "model": NeuronModel(),
        "steps": steps,
        "weight": weight,
        "weight_bits": 8,
        "threshold": np.full(count, 1),
        "current_decay": np.zeros(count, int),
        "membrane_decay": np.zeros(count, int),
        "bias": np.zeros(count, int),
        "initial": np.zeros(count, int),
    }
    return LeakyNeurons(**{**fields, **changes})  # type: ignore[arg-type]


def test_delays_make_a_neuron_that_knows_an_order_of_events() -> None:
    # The classic toy task of learned delays: events at 0, 3 and 5 coincide behind delays 5, 2 and 0, in no other order.
    layer = neurons(np.ones((1, 3), int), 12, threshold=np.array([3]), membrane_decay=np.array([9]),
                    model=NeuronModel(decay="subtract"), delays=np.array([[5, 2, 0]]))  # fmt: skip
    for order in ((0, 3, 5), (5, 3, 0), (0, 5, 3), (3, 0, 5)):
        events = np.zeros((12, 3), np.int32)
        events[order, range(3)] = 1
        spikes = layer.evaluate(events.reshape(1, -1))[0]
        assert spikes.sum() == (order == (0, 3, 5))
        if order == (0, 3, 5):
            assert spikes[5] == 1


def test_a_recurrent_layer_remembers_without_input() -> None:
    # Two neurons that pass one spike on to each other.
    layer = neurons(np.array([[1], [0]]), 8, recurrent=np.array([[0, 1], [1, 0]]))
    events = np.zeros((1, 8), np.int32)
    events[0, 0] = 1
    assert layer.evaluate(events).reshape(8, 2).tolist() == [[1, 0], [0, 1]] * 4


def test_a_reservoir_separates_two_inputs_by_their_history() -> None:
    rng = np.random.default_rng(0)
    reservoir = neurons(
        rng.integers(-40, 60, (40, 2)), 30, threshold=np.full(40, 64), membrane_decay=np.full(40, 230),
        model=NeuronModel(decay="multiply", decay_bits=8), recurrent=rng.integers(-20, 24, (40, 40)),
    )  # fmt: skip
    first, second = np.zeros((2, 30, 2), np.int32)
    first[:10, 0], second[:10, 1] = 2, 2
    states = reservoir.evaluate(np.stack([first, second]).reshape(2, -1)).reshape(2, 30, 40)
    assert states[0, 12:].any()
    assert np.count_nonzero(states[0, 12:] != states[1, 12:]) > 20


@pytest.mark.parametrize("encoder", ["unary", "ttfs", "rate", "direct"])
def test_static_encoders_say_the_integer_in_events(encoder: str) -> None:
    layer = SpikeEncoder(encoder, 16, 15, 0, 15, 5 if encoder == "rate" else 0)
    values = np.arange(16)[None]
    events = layer.evaluate(values).reshape(15, 16)
    slots = np.arange(15)[:, None]
    expected = {
        "direct": np.repeat(values, 15, axis=0),
        "unary": slots < values,
        "ttfs": (slots == 15 - values) & (values > 0),
        "rate": uniform_draws(5, 240, 15).reshape(15, 16) < values,
    }[encoder]
    assert np.array_equal(events, expected)


def test_the_generator_of_rates_is_marsaglias_and_uniform() -> None:
    # xorshift32 from 2463534242 gives 723471715 first (Marsaglia, 2003).
    assert uniform_draws(2463534242, 1, 255)[0] == ((723471715 >> 8) * 255) >> 24
    draws = uniform_draws(1, 20_000, 15)
    assert draws.min() == 0
    assert draws.max() == 14
    assert abs(draws.mean() - 7) < 0.1


def test_changes_sum_up_to_the_input_and_are_silent_where_it_rests() -> None:
    layer = SpikeEncoder("delta", 1, 6, -8, 7, 0, 2)
    x = np.array([[3, 3, 4, 5, -8, -8]])
    assert layer.evaluate(x).tolist() == [[3, 0, 0, 2, -13, 0]]


def test_a_state_that_could_pass_32_bits_is_refused_with_its_range() -> None:
    layer = neurons(np.full((1, 2), 127), 2**12, model=NeuronModel(weight_shift=14, reset="none"))
    with pytest.raises(NetworkError, match=r"membrane: may reach 0 … \d+ within 4096 steps, past 32 bits"):
        layer.output_range(ValueRange.uniform(0, 1, 2 * 2**12))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"threshold": np.array([-1])}, "threshold"),
        ({"weight": np.array([[200]])}, "weight"),
        ({"delays": np.array([[-1]])}, "delays"),
        ({"recurrent_delays": np.array([[1]])}, "recurrent"),
        ({"model": NeuronModel(decay="multiply", decay_bits=3), "membrane_decay": np.array([9])}, "at most 8"),
        ({"bias": np.array([0, 1])}, "bias"),
        ({"model": {"decay": "none"}}, "NeuronModel"),
    ],
)
def test_a_layer_that_breaks_a_rule_is_refused_by_field(changes: dict, says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        neurons(**{"weight": np.ones((1, 1), int), "steps": 2, **changes})


@pytest.mark.parametrize(
    "choices",
    [{"decay": "melt"}, {"fire": "per_event"}, {"reset": "subtract_guarded", "reset_delay": 1}, {"max_spikes": 2}],
)
def test_choices_that_are_none_are_refused(choices: dict) -> None:
    with pytest.raises(NetworkError, match="neuron model"):
        NeuronModel(**choices)


def test_a_file_cannot_ask_for_endless_memory() -> None:
    with pytest.raises(NetworkError, match="more than"):
        SpikeEncoder("direct", 2**20, 2**20, 0, 1)
    with pytest.raises(NetworkError, match="more than"):
        SpikeReadout(2**20, 2**20, "sum")
    with pytest.raises(NetworkError, match="more than"):
        neurons(np.ones((2000, 1), int), 2**16)


def test_many_samples_of_many_steps_run_in_parts() -> None:
    layer = neurons(np.ones((64, 3), int), 600, model=NeuronModel(decay="subtract"), threshold=np.full(64, 2))
    x = (np.random.default_rng(0).random((300, 1800)) < 0.5).astype(np.int32)
    whole = layer.evaluate(x)
    assert np.array_equal(np.concatenate([layer.evaluate(x[:7]), layer.evaluate(x[7:])]), whole)


def test_hostile_attributes_of_a_file_give_an_error() -> None:
    for model in (None, [], {"decay": 5}, {"unknown": 1}, {"bits": "many"}, {1: 2}):
        with pytest.raises(NetworkError):
            NeuronModel.from_attributes(model)


def test_measures_count_events_behind_synapses() -> None:
    layer = neurons(np.array([[1, 0], [2, 3]]), 3, recurrent=np.array([[0, 0], [1, 0]]))
    network = Network(
        "n",
        (
            Node("input", InputQuantizer(6, np.ones(1), np.zeros(1), 0, 1, False)),
            Node("layer", layer, ("input",)),
            Node("output", SpikeReadout(3, 2, "sum"), ("layer",)),
        ),
        Output(np.ones(1)),
    )
    q = np.array([[1, 1, 0, 0, 0, 0]])
    spikes = record(network, q)["layer"].spikes
    counted = measure(network, q)["layers"]["layer"]
    recurrent = int(spikes[:-1, 0, 0].sum())
    assert counted["synaptic_operations"]["accumulates"] == 2 + 1 + recurrent
    assert counted["spikes"] == spikes.sum()
