"""A network that breaks a chip's rule is refused with the rule, the layer and how far off it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.models import PRESETS
from edgeml.plugins import RuleResult
from edgeml.profile import Profile, load_profile, profile_names
from edgeml.targets.neuromorphic.rules import apply_rules

CHIPS = ("loihi1", "loihi2", "xylo-audio2", "akida1", "akida2", "spinnaker2", "tinyodin")


def leaky(model: str, neurons: int, inputs: int, steps: int = 2, **changes: object) -> LeakyNeurons:
    fields = {
        "model": PRESETS[model](),
        "steps": steps,
        "weight": np.ones((neurons, inputs), int),
        "weight_bits": 8,
        "threshold": np.full(neurons, 64),
        "current_decay": np.ones(neurons, int),
        "membrane_decay": np.ones(neurons, int),
        "bias": np.zeros(neurons, int),
        "initial": np.zeros(neurons, int),
    }
    return LeakyNeurons(**{**fields, **changes})  # type: ignore[arg-type]


def network(*layers: LeakyNeurons, bits: int = 1) -> Network:
    nodes = [Node("input", InputQuantizer(layers[0].steps * layers[0].inputs, np.ones(1), np.zeros(1), 0, bits, False))]
    for k, layer in enumerate(layers):
        nodes.append(Node(f"layer{k}", layer, (nodes[-1].name,)))
    return Network("n", tuple(nodes), Output(np.ones(1)))


def exact(thresholds: np.ndarray, weight: np.ndarray, encoding: str = "graded", signed: bool = False) -> Network:
    quantizer = InputQuantizer(weight.shape[1], np.ones(1), np.zeros(1), 0, 4, signed)
    return Network(
        "n",
        (
            Node("input", quantizer),
            Node("spikes", InputSpikes(weight.shape[1], encoding, quantizer.low, quantizer.high), ("input",)),
            Node("dense", Dense(weight, 8, np.zeros(len(weight), int)), ("spikes",)),
            Node("neurons", Neurons(thresholds, encoding), ("dense",)),
        ),
        Output(np.ones(1)),
    )


def failed(net: Network, chip: str) -> dict[str, RuleResult]:
    return {result.rule: result for result in apply_rules(net, load_profile(chip)) if not result.passed}


def test_the_profiles_are_there_and_of_this_kind() -> None:
    assert set(CHIPS) <= set(profile_names())
    assert {load_profile(chip).kind for chip in CHIPS} == {"neuromorphic"}


@pytest.mark.parametrize(
    ("net", "chip", "rule", "says"),
    [
        (network(leaky("xylo", 4, 17)), "xylo-audio2", "input channels", "1 too many"),
        (network(leaky("xylo", 4, 3), bits=5), "xylo-audio2", "input spikes per step", "0 … 31"),
        (network(leaky("xylo", 9, 3)), "xylo-audio2", "output neurons", "9 output neurons, at most 8"),
        (network(leaky("xylo", 1001, 3), leaky("xylo", 2, 1001)), "xylo-audio2", "hidden neurons", "1 too many"),
        (network(leaky("xylo", 70, 3), leaky("xylo", 2, 70)), "xylo-audio2", "", ""),
        (network(leaky("loihi", 3, 3)), "xylo-audio2", "neuron model", "loihi; the chip computes xylo"),
        (network(leaky("loihi", 3, 4097)), "loihi1", "layer inputs", "1 too many"),
        (network(leaky("loihi", 3, 3, threshold=np.full(3, 65))), "loihi1", "threshold bits", "2^6"),
        (network(leaky("loihi", 3, 3, threshold=np.full(3, 2**23))), "loihi1", "threshold bits", "131072"),
        (network(leaky("loihi", 3, 3, initial=np.ones(3, int))), "loihi1", "initial state", "start at 0"),
        (network(leaky("loihi", 3, 3, delays=np.full((3, 3), 63))), "loihi1", "synapse delay", "1 too many"),
        (network(leaky("tinyodin", 257, 3)), "tinyodin", "neurons", "1 too many"),
        (network(leaky("tinyodin", 3, 3, weight=np.full((3, 3), 8))), "tinyodin", "weight bits", "-8 … 7"),
        (network(leaky("tinyodin", 3, 3, membrane_decay=np.full(3, 128))), "tinyodin", "decay bits", "128"),
        (network(leaky("snntorch_leaky", 3, 3)), "loihi1", "neuron model", "snntorch_leaky"),
        (exact(np.array([[1, 2, 4]]), np.ones((1, 2), int)), "akida1", "one threshold per neuron", "1 of 1"),
        (exact(np.array([[1, 2]]), np.ones((1, 2), int)), "akida1", "activation bits", "0 … 2"),
        (exact(np.array([[1, 2, 3]]), np.full((1, 2), 8)), "akida1", "weight bits", "-7 … 7"),
        (exact(np.array([[1, 2, 3]]), np.ones((1, 2), int), "unary"), "akida1", "neuron model", "unary"),
        (exact(np.array([[1, 2, 3]]), np.ones((1, 2), int), signed=True), "akida1", "activation bits", "-8"),
        (exact(np.array([[1, 2, 3]]), np.ones((1, 2049), int)), "akida2", "layer inputs", "1 too many"),
    ],
)
def test_what_is_past_a_limit_is_named(net: Network, chip: str, rule: str, says: str) -> None:
    results = failed(net, chip)
    if not rule:
        assert "fan-out" not in results
        return
    assert rule in results
    assert says in results[rule].detail
    if rule not in ("neurons", "cores", "memory"):
        assert results[rule].layer


def test_fan_out_counts_recurrent_and_forward_synapses() -> None:
    hidden = leaky("xylo", 60, 3, recurrent=np.ones((60, 60), int))
    assert failed(network(hidden, leaky("xylo", 5, 60)), "xylo-audio2")["fan-out"].detail.startswith("65 ")
    assert "fan-out" not in failed(network(hidden, leaky("xylo", 4, 60)), "xylo-audio2")


def test_cores_and_memory_are_counted() -> None:
    small = dataclasses.replace(load_profile("loihi1"), values={**load_profile("loihi1").values, "cores": 1})
    results = {r.rule: r for r in apply_rules(network(leaky("loihi", 3, 3), leaky("loihi", 3, 3)), small)}
    assert not results["cores"].passed
    assert "2 cores" in results["cores"].detail
    memory = dataclasses.replace(small, values={"cores": 1, "core_memory_bytes": 100, "models": ["loihi"]})
    assert not {r.rule: r for r in apply_rules(network(leaky("loihi", 30, 3)), memory)}["memory"].passed


def test_a_network_without_spikes_is_refused() -> None:
    net = Network(
        "n",
        (
            Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 4, False)),
            Node("dense", Dense(np.ones((1, 2), int), 2, np.zeros(1, int)), ("input",)),
            Node("steps", Threshold(np.array([[1]])), ("dense",)),
        ),
        Output(np.ones(1)),
    )
    results = failed(net, "loihi1")
    assert results["layer-kind"].layer == "steps"


def test_a_profile_with_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match=r"mine.*cores"):
        apply_rules(
            network(leaky("loihi", 3, 3)), Profile("mine", "neuromorphic", "", {"neurons_per_core": 4, "cores": "many"})
        )
