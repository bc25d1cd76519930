"""Random classic spiking networks over every choice of the neuron model."""

from __future__ import annotations

import numpy as np

from edgeml.errors import NetworkError
from edgeml.network import InputQuantizer, Network, Node, Output
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models.neuron_model import NeuronModel


def random_model(rng: np.random.Generator, fires: bool) -> NeuronModel:
    """Choices at random, those that exclude each other drawn again."""
    while True:
        decay = str(rng.choice(["none", "multiply", "multiply_toward_zero", "shift", "subtract"]))
        limit = str(rng.choice(["refuse", "refuse", "saturate", "saturate_symmetric", "wrap"]))
        fields = {
            "current": bool(rng.integers(2)),
            "decay": decay,
            "decay_bits": int(rng.integers(1, 13)) if decay.startswith("multiply") else 0,
            "order": str(rng.choice(["decay_then_add", "add_then_decay"])),
            "accumulation": str(rng.choice(["sum", "sum", "per_event"])),
            "addition": str(rng.choice(["exact", "saturating"])),
            "bits": int(rng.integers(8, 25)) if limit != "refuse" else 32,
            "current_limit": limit,
            "membrane_limit": "saturate" if limit == "wrap" else limit,
            "weight_shift": int(rng.integers(0, 5)),
            "dropped_bits": int(rng.integers(0, 3)) if rng.random() < 0.2 else 0,
            "compare": str(rng.choice(["greater", "at_least"])),
            "fire": str(rng.choice(["per_step", "per_step", "per_event"])),
            "reset": str(
                rng.choice(["none", "zero", "zero_with_input", "subtract", "subtract_guarded", "subtract_repeatedly"])
            ),
            "reset_delay": int(rng.integers(2)),
            "emission": str(rng.choice(["binary", "count"])) if fires else "membrane",
            "input_delay": int(rng.integers(2)),
            "bias_into": str(rng.choice(["current", "membrane"])),
        }
        if fields["reset"] == "subtract_repeatedly" or fields["fire"] == "per_event":
            fields["max_spikes"] = int(rng.integers(1, 9))
        try:
            return NeuronModel(**fields)
        except NetworkError:
            continue


def random_layer(rng: np.random.Generator, steps: int, inputs: int, fires: bool) -> LeakyNeurons:
    """A layer with delays and recurrent synapses now and then."""
    model = random_model(rng, fires)
    neurons = int(rng.integers(1, 11))
    most = {"multiply": 1 << model.decay_bits, "multiply_toward_zero": 1 << model.decay_bits, "shift": 6}
    top = most.get(model.decay, 40)
    recurrent = rng.integers(-20, 21, (neurons, neurons)) if fires and rng.random() < 0.4 else None
    return LeakyNeurons(
        model,
        steps,
        rng.integers(-20, 21, (neurons, inputs)),
        6,
        rng.integers(1, 60, neurons) << model.weight_shift,
        rng.integers(0, top + 1, neurons),
        rng.integers(0, top + 1, neurons),
        rng.integers(-9, 10, neurons) << model.weight_shift if rng.random() < 0.6 else np.zeros(neurons, int),
        rng.integers(-20, 20, neurons) if rng.random() < 0.4 else np.zeros(neurons, int),
        recurrent,
        rng.integers(0, 6, (neurons, inputs)) if rng.random() < 0.4 else None,
        rng.integers(1, 5, (neurons, neurons)) if recurrent is not None and rng.random() < 0.5 else None,
    )


def random_classic(rng: np.random.Generator) -> tuple[Network, np.ndarray]:
    """A network with an input encoder of any kind, one to three layers and a readout, and inputs for it."""
    while True:
        steps, features = int(rng.integers(6, 25)), int(rng.integers(1, 12))
        encoder = str(rng.choice(["events", "direct", "unary", "ttfs", "rate", "delta"]))
        signed = encoder in ("direct", "delta") and bool(rng.integers(2))
        bits = int(rng.integers(2 if signed else 1, 3))
        inputs = steps * features if encoder in ("events", "delta") else features
        quantizer = InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, bits, signed)
        nodes = [Node("input", quantizer)]
        try:
            if encoder != "events":
                seed, change = (7 if encoder == "rate" else 0), (int(rng.integers(1, 3)) if encoder == "delta" else 0)
                layer = SpikeEncoder(encoder, features, steps, quantizer.low, quantizer.high, seed, change)
                nodes.append(Node("events", layer, ("input",)))
            depth, channels = int(rng.integers(1, 4)), features
            for k in range(depth):
                neurons = random_layer(rng, steps, channels, fires=k < depth - 1 or rng.random() < 0.6)
                if neurons.model.accumulation == "per_event" and signed and k == 0:
                    raise NetworkError("events", "signed ones are not added one by one")
                if neurons.model.accumulation == "per_event" and encoder == "delta" and k == 0:
                    raise NetworkError("events", "changes may be negative")
                nodes.append(Node(f"layer{k}", neurons, (nodes[-1].name,)))
                channels = neurons.neurons
            reading = str(rng.choice(["sum", "last", "maximum"]))
            nodes.append(Node("output", SpikeReadout(steps, channels, reading), (nodes[-1].name,)))
            network = Network("classic", tuple(nodes), Output(np.ones(1)))
        except NetworkError:
            continue
        return network, rng.integers(quantizer.low, quantizer.high + 1, (5, inputs)).astype(np.int32)
