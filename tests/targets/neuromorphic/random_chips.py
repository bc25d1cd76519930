"""Random networks that are legal on a chip."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.neurons import Neurons
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models.loihi import loihi
from edgeml.network.spiking.models.xylo import xylo


def xylo_network(rng: np.random.Generator, steps: int = 25) -> tuple[Network, np.ndarray]:
    """One or two hidden layers, recurrent or not, states driven into saturation now and then."""
    inputs = int(rng.integers(1, 17))
    nodes = [Node("input", InputQuantizer(steps * inputs, np.ones(1), np.zeros(1), 0, 4, False))]
    before, channels = "input", inputs
    depth = int(rng.integers(1, 3))
    shift = int(rng.integers(0, 7))
    for k in range(depth + 1):
        output = k == depth
        neurons = int(rng.integers(1, 9 if output else 14))
        model = xylo(weight_shift=shift, output=output, first=k == 0)
        layer = LeakyNeurons(
            model,
            steps,
            rng.integers(-128, 128, (neurons, channels)) >> int(rng.integers(0, 4)),
            8,
            rng.integers(50, 3000, neurons),
            rng.integers(1, 6, neurons),
            rng.integers(1, 6, neurons),
            rng.integers(-100, 100, neurons),
            np.zeros(neurons, int),
            rng.integers(-60, 60, (neurons, neurons)) if not output and rng.random() < 0.6 else None,
        )
        nodes.append(Node(f"layer{k}", layer, (before,)))
        before, channels = f"layer{k}", neurons
    nodes.append(Node("counts", SpikeReadout(steps, channels, "sum"), (before,)))
    q = rng.integers(0, 16, (2, steps * inputs)) * (rng.random((2, steps * inputs)) < rng.uniform(0.05, 0.5))
    return Network("xylo", tuple(nodes), Output(np.ones(1))), q.astype(np.int32)


def akida_network(rng: np.random.Generator) -> tuple[Network, np.ndarray]:
    """Fully connected layers of 1, 2 or 4 bits with one threshold per neuron."""
    bits = int(rng.choice([1, 2, 4]))
    size = int(rng.integers(2, 40))
    quantizer = InputQuantizer(size, np.ones(1), np.zeros(1), 0, bits, False)
    nodes = [
        Node("input", quantizer),
        Node("spikes", InputSpikes(size, "graded", 0, quantizer.high), ("input",)),
    ]
    before, inputs = "spikes", size
    depth = int(rng.integers(1, 5))
    for k in range(depth):
        neurons = int(rng.integers(1, 30))
        most = int(rng.choice([1, 7]))
        dense = Dense(rng.integers(-most, most + 1, (neurons, inputs)), 4, rng.integers(-9, 10, neurons))
        nodes.append(Node(f"dense{k}", dense, (before,)))
        before, inputs = f"dense{k}", neurons
        if k == depth - 1 and rng.random() < 0.6:
            break
        levels = 2 ** int(rng.choice([1, 2, 4])) - 1
        theta, first = rng.integers(1, 30, neurons), rng.integers(-20, 30, neurons)
        nodes.append(
            Node(f"neurons{k}", Neurons(first[:, None] + theta[:, None] * np.arange(levels), "graded"), (before,))
        )
        before = f"neurons{k}"
    q = rng.integers(0, quantizer.high + 1, (8, size)).astype(np.int32)
    return Network("akida", tuple(nodes), Output(np.ones(1))), q


def loihi_network(rng: np.random.Generator, steps: int = 50) -> tuple[Network, np.ndarray]:
    """Two layers with any decays, exponents and biases."""
    inputs, sizes = int(rng.integers(2, 20)), rng.integers(2, 20, 2)
    nodes = [Node("input", InputQuantizer(steps * inputs, np.ones(1), np.zeros(1), 0, 1, False))]
    before, channels = "input", inputs
    for k, neurons in enumerate(sizes):
        layer = LeakyNeurons(
            loihi(weight_exponent=int(rng.integers(-4, 3))),
            steps,
            rng.integers(-128, 128, (neurons, channels)),
            8,
            rng.integers(1, 400, neurons) << 6,
            rng.integers(0, 4096, neurons),
            rng.integers(0, 4097, neurons),
            rng.integers(-2000, 2000, neurons),
            np.zeros(neurons, int),
        )
        nodes.append(Node(f"layer{k}", layer, (before,)))
        before, channels = f"layer{k}", int(neurons)
    q = (rng.random((3, steps * inputs)) < 0.3).astype(np.int32)
    return Network("loihi", tuple(nodes), Output(np.ones(1))), q
