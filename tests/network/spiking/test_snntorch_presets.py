"""The snnTorch presets fire exactly when snnTorch's own neurons fire, run in float64 as its sharpest."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import NetworkError
from edgeml.network import ValueRange
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models.neuron_model import NeuronModel
from edgeml.network.spiking.models.snntorch import snntorch_lapicque, snntorch_leaky, snntorch_synaptic
from tests.sweeps import cases, seeds

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")

STEPS = 100
CONFIGURATIONS = [
    (kind, reset, delayed)
    for kind in ("Leaky", "Synaptic", "Lapicque", "RLeaky", "RSynaptic")
    for reset in ("subtract", "zero", "none")
    for delayed in (True, False)
    if delayed or kind not in ("Lapicque", "RSynaptic")  # Lapicque has no such option; RSynaptic's does not run
]


def float_spikes(kind: str, reset: str, delayed: bool, p: dict, spikes: np.ndarray) -> np.ndarray:
    """Spikes [steps, neurons] of snnTorch's layer behind integer weights."""
    neurons = len(p["weight"])
    options = {"threshold": float(p["threshold"]), "reset_mechanism": reset}
    if kind != "Lapicque":
        options["reset_delay"] = delayed
    if kind == "Leaky":
        neuron = snn.Leaky(beta=p["beta"], **options)
    elif kind == "Synaptic":
        neuron = snn.Synaptic(alpha=p["alpha"], beta=p["beta"], **options)
    elif kind == "Lapicque":
        neuron = snn.Lapicque(R=1.0, C=float(p["capacitance"]), time_step=1.0, **options)
    elif kind == "RLeaky":
        neuron = snn.RLeaky(beta=p["beta"], all_to_all=True, linear_features=neurons, **options)
    else:
        neuron = snn.RSynaptic(alpha=p["alpha"], beta=p["beta"], all_to_all=True, linear_features=neurons, **options)
    if kind.startswith("R"):
        neuron.recurrent.weight.data = torch.tensor(p["recurrent"], dtype=torch.float64)
        neuron.recurrent.bias.data = torch.zeros(neurons, dtype=torch.float64)
    neuron = neuron.double()
    currents = torch.tensor(spikes @ p["weight"].T + p["bias"], dtype=torch.float64)
    state = {"Leaky": 1, "Synaptic": 2, "Lapicque": 1, "RLeaky": 2, "RSynaptic": 3}[kind]
    states = [torch.zeros(1, neurons, dtype=torch.float64) for _ in range(state)]
    result = []
    with torch.no_grad():
        for current in currents:
            given = neuron(current[None], *states)
            result.append(given[0][0].numpy())
            states = [state.double() for state in (given if kind.startswith("R") else given[1:])]
    return np.stack(result)


def integer_layer(kind: str, reset: str, delayed: bool, p: dict) -> LeakyNeurons:
    """Our layer, with as many fraction bits as its range leaves."""
    neurons, inputs = p["weight"].shape
    decay_bits = 4
    for fraction_bits in range(20, 7, -1):
        if kind in ("Leaky", "RLeaky"):
            model = snntorch_leaky(
                decay_bits=decay_bits,
                fraction_bits=fraction_bits,
                reset=reset,
                reset_delay=delayed,
                recurrent=kind == "RLeaky",
            )
        elif kind == "Lapicque":
            model = snntorch_lapicque(decay_bits=decay_bits, fraction_bits=fraction_bits, reset=reset)
        else:
            model = snntorch_synaptic(
                decay_bits=decay_bits, fraction_bits=fraction_bits, reset=reset, reset_delay=delayed
            )
        scale = fraction_bits
        beta = p["beta"]
        if kind == "Lapicque":  # the gain 1 / C is a power of two
            gain = int(np.log2(p["capacitance"]))
            model = NeuronModel(**{**model.attributes(), "weight_shift": fraction_bits - gain})
            scale, beta = fraction_bits, 1 - 1 / p["capacitance"]

        def same(value: float, neurons: int = neurons) -> np.ndarray:
            return np.full(neurons, round(value))

        layer = LeakyNeurons(
            model,
            STEPS,
            p["weight"],
            4,
            same(p["threshold"] * 2**scale),
            same(p["alpha"] * 16),
            same(beta * 16),
            p["bias"] << model.weight_shift,
            same(0),
            p["recurrent"] if kind.startswith("R") else None,
        )
        try:
            layer.output_range(ValueRange.uniform(0, 1, STEPS * inputs))
        except NetworkError:
            continue
        return layer
    raise AssertionError("no fraction bits fit")


def mismatches(kind: str, reset: str, delayed: bool, seeds: range) -> tuple[int, int]:
    """(spikes that differ, spikes of snnTorch) over random networks."""
    wrong = given = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        neurons, inputs = int(rng.integers(2, 12)), int(rng.integers(2, 12))
        p = {
            "weight": rng.integers(-6, 8, (neurons, inputs)),
            "bias": rng.integers(-1, 3, neurons),
            "recurrent": rng.integers(-6, 6, (neurons, neurons)),
            "threshold": int(rng.integers(1, 4 if kind == "Lapicque" else 30)),
            "alpha": int(rng.integers(0, 16)) / 16,
            "beta": int(rng.integers(0, 16)) / 16,
            "capacitance": 2 ** int(rng.integers(1, 5)),
        }
        spikes = (rng.random((STEPS, inputs)) < rng.uniform(0.05, 0.6)).astype(np.int64)
        expected = float_spikes(kind, reset, delayed, p, spikes)
        layer = integer_layer(kind, reset, delayed, p)
        found = layer.evaluate(spikes.reshape(1, -1).astype(np.int32)).reshape(STEPS, neurons)
        wrong += int(np.count_nonzero(found != expected))
        given += int(expected.sum())
    return wrong, given


@pytest.mark.parametrize(("kind", "reset", "delayed"), CONFIGURATIONS)
def test_every_class_reset_and_delay_fires_as_snntorch_does(kind: str, reset: str, delayed: bool) -> None:
    wrong, given = mismatches(kind, reset, delayed, range(6))
    assert given > 100
    assert wrong == 0


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize(("kind", "reset", "delayed"), CONFIGURATIONS)
def test_a_hundred_networks_of_a_hundred_steps_fire_as_snntorch_does(kind: str, reset: str, delayed: bool) -> None:
    wrong, given = mismatches(kind, reset, delayed, seeds(100, 100))
    assert given > cases(1000)
    assert wrong == 0
