"""The programs of neuron models: one list, the same integers from numpy and C, and ranges that hold."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import InputQuantizer, Network, Node, Output, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models import PRESETS, NeuronModel
from edgeml.network.spiking.models.operations import (
    Compare,
    Decayed,
    Limit,
    Operation,
    Program,
    Restrict,
    Store,
    Subtract,
    Sum,
    Zero,
    live,
)
from edgeml.network.spiking.models.program import program_of
from edgeml.network.spiking.ranges import state_ranges
from edgeml.network.spiking.recording import record
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.native_network import NativeNetwork

STEPS, INPUTS, NEURONS = 12, 5, 4


def network_of(model: NeuronModel, program: Program | None = None, *, biased: bool = True) -> Network:
    rng = np.random.default_rng(3)
    zeros = np.zeros(NEURONS, int)
    layer = LeakyNeurons(
        model, STEPS, rng.integers(-20, 21, (NEURONS, INPUTS)), 6, rng.integers(5, 30, NEURONS),
        rng.integers(0, 9, NEURONS), rng.integers(1, 9, NEURONS), rng.integers(1, 7, NEURONS) * biased, zeros,
    )  # fmt: skip
    if program is not None:
        object.__setattr__(layer, "program", program)
    quantizer = InputQuantizer(STEPS * INPUTS, np.ones(1), np.zeros(1), 0, 2, False)
    return Network("n", (Node("input", quantizer), Node("layer", layer, ("input",))), Output(np.ones(1)))


def assert_one_meaning(network: Network) -> np.ndarray:
    """C equals golden, and both stay within the derived ranges; the spikes [steps, samples, neurons]."""
    q = np.random.default_rng(4).integers(0, 4, (20, STEPS * INPUTS)).astype(np.int32)
    found, layer = record(network, q)["layer"], network.nodes[1].layer
    current, membrane = state_ranges(layer, network.ranges["input"])
    assert current.contains(found.current)
    assert membrane.contains(found.membrane)
    if find_compiler() is None:
        pytest.skip("no C compiler")
    native = NativeNetwork(network, flags=("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1"))
    assert np.array_equal(native.invoke(q), simulate(network, q))
    return found.spikes


def test_a_model_that_no_choice_names_is_a_list_of_its_own() -> None:
    """Two thresholds: a neuron pays its threshold when it fires, and forgets everything when it is past it again."""
    program = Program(
        step=(
            Sum("input", ("arriving", "bias")),
            Sum("next", ("input",), Decayed("membrane", "subtract", 0, "membrane_decay")),
            Compare("fired", "next", strict=False),
            Subtract("next", "fired"),
            Compare("again", "next", strict=True),
            Zero("next", "next", "again"),
            Store("membrane", "next"),
        )
    )
    network = network_of(NeuronModel(decay="subtract"), program)
    spikes = assert_one_meaning(network)
    layer = network.nodes[1].layer
    q = np.random.default_rng(4).integers(0, 4, (20, STEPS * INPUTS))
    for sample, events in enumerate(q.reshape(20, STEPS, INPUTS)):
        for n in range(NEURONS):
            membrane, threshold, leak = 0, int(layer.threshold[n]), int(layer.membrane_decay[n])
            for step in range(STEPS):
                kept = max(abs(membrane) - leak, 0) * (1 if membrane > 0 else -1)
                membrane = kept + int(events[step] @ layer.weight[n]) + int(layer.bias[n])
                fired = int(membrane >= threshold)
                membrane -= fired * threshold
                membrane = 0 if membrane > threshold else membrane
                assert spikes[step, sample, n] == fired
    assert 0 < spikes.mean() < 1


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_mean_the_same_in_numpy_in_c_and_in_their_ranges(name: str, biased: bool) -> None:
    assert_one_meaning(network_of(PRESETS[name](), biased=biased))


def test_changes_that_wrap_past_half_a_turn_are_the_same_in_numpy_and_c() -> None:
    """Without a bias, nothing is added behind the first limit, and it is not done again."""
    model = NeuronModel(addition="saturating", membrane_limit="wrap", bits=5, reset="none", emission="membrane")
    assert_one_meaning(network_of(model, biased=False))


def test_what_nothing_reads_is_no_part_of_generated_code() -> None:
    model = NeuronModel(emission="membrane", reset="none")
    program = program_of(model)
    kept = live(program.step, (program.emitted,))
    assert {type(operation) for operation in program.step} - {type(operation) for operation in kept} == {Compare}
    assert live(program_of(NeuronModel()).step, ("fired",)) == program_of(NeuronModel()).step


def test_loihis_step_reads_as_its_documentation_says() -> None:
    wrap, symmetric = Limit("wrap", 24), Limit("saturate_symmetric", 24)
    expected: tuple[Operation, ...] = (
        Sum("input", ("arriving",), Decayed("current", "multiply_toward_zero", 12, "current_decay"), wrap),
        Store("current", "input"),
        Sum("next", ("input", "bias"), Decayed("membrane", "multiply_toward_zero", 12, "membrane_decay")),
        Restrict("next", symmetric),
        Compare("fired", "next", strict=True),
        Zero("next", "next", "fired"),
        Store("membrane", "next"),
    )
    assert program_of(PRESETS["loihi"]()).step == expected
