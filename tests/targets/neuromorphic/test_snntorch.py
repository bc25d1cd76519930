"""snnTorch's own neurons give golden's integers: spikes and membranes, of every preset, sums of layers included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Add, InputQuantizer, Network, Node, Output, golden
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models.neuron_model import NeuronModel
from edgeml.network.spiking.models.snntorch import snntorch_lapicque, snntorch_leaky, snntorch_synaptic
from edgeml.targets.neuromorphic.snntorch import can_run, run_on_snntorch

pytest.importorskip("snntorch")

STEPS, INPUTS, NEURONS = 12, 5, 8
KINDS = ("leaky", "recurrent", "synaptic", "recurrent synaptic", "lapicque")


def model(kind: str, reset: str, delayed: bool, fires: bool) -> NeuronModel:
    options = {"decay_bits": 5, "fraction_bits": 3, "reset": reset, "fires": fires}
    if kind == "lapicque":
        return snntorch_lapicque(**options)
    if "synaptic" in kind:
        return snntorch_synaptic(**options, reset_delay=delayed)
    return snntorch_leaky(**options, reset_delay=delayed, recurrent=kind == "recurrent")


def layer(rng: np.random.Generator, kind: str, reset: str, delayed: bool, inputs: int, fires: bool) -> LeakyNeurons:
    """Decays of few bits and small thresholds: membranes meet them, and products fall between integers."""
    recurrent = rng.integers(-3, 4, (NEURONS, NEURONS)) if "recurrent" in kind and fires else None
    return LeakyNeurons(
        model(kind if fires else kind.replace("recurrent ", "").replace("recurrent", "leaky"), reset, delayed, fires),
        STEPS,
        rng.integers(-4, 6, (NEURONS, inputs)),
        4,
        rng.integers(1, 40, NEURONS),
        rng.integers(0, 33, NEURONS),
        rng.integers(0, 33, NEURONS),
        rng.integers(-9, 10, NEURONS),
        np.zeros(NEURONS, int),
        recurrent,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_preset_and_reset_gives_the_same_integers(kind: str) -> None:
    ties, compared = 0, 0
    for reset in ("subtract", "zero", "none"):
        for delayed in (True, False):
            if not delayed and kind in ("lapicque", "recurrent synaptic"):
                continue
            for fires in (True, False):
                rng = np.random.default_rng(compared)
                first = layer(rng, kind, reset, delayed, INPUTS, True)
                second = layer(rng, kind, reset, delayed, NEURONS, True)
                last = layer(rng, kind, reset, delayed, NEURONS, fires)
                nodes = (
                    Node("input", InputQuantizer(STEPS * INPUTS, np.ones(1), np.zeros(1), 0, 1, False)),
                    Node("first", first, ("input",)),
                    Node("second", second, ("first",)),
                    Node("both", Add(), ("first", "second")),
                    Node("last", last, ("both",)),
                    Node("output", SpikeReadout(STEPS, NEURONS, "sum" if fires else "last"), ("last",)),
                )
                network = Network("n", nodes, Output(np.ones(1)))
                q = rng.integers(0, 2, (40, STEPS * INPUTS)).astype(np.int32)
                expected = golden.trace(network, q)
                outputs, layers, _ = run_on_snntorch(network, q)
                for name, values in layers.items():
                    assert np.array_equal(values, expected[name]), (reset, delayed, fires, name)
                assert np.array_equal(outputs, expected["output"])
                ties += int(np.count_nonzero(first.record(q).membrane == first.threshold))
                compared += 1
    assert ties > 0
    assert compared >= 6


def test_what_snntorch_has_not_is_not_run_there() -> None:
    made = layer(np.random.default_rng(0), "leaky", "zero", True, INPUTS, True)
    assert can_run(made)
    assert not can_run(replace(made, delays=np.ones((NEURONS, INPUTS), int)))
    assert not can_run(replace(made, initial=np.ones(NEURONS, int)))
