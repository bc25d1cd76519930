"""Spiking networks: event-driven C and the golden simulator beside snnTorch, at batch 1, in one run.

784-128-64-10 leaky neurons (reset by subtraction), 32 steps, 10 % of the inputs active in each: the network that the
project's other figures for spiking frameworks stand on. Ratios are of the shortest of many interleaved calls, which
other work on the machine disturbs least; absolute times are this machine's.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np

from edgeml.network import InputQuantizer, Network, Node, Output, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.measures import measure
from edgeml.network.spiking.models import snntorch_leaky

SIZES = (784, 128, 64, 10)
STEPS = 32
ACTIVE = 0.1
FRACTION = 10
SAMPLES = 8
ROUNDS = 12
GOALS = {"C / snnTorch": 20.0, "golden / snnTorch": 5.0, "giga synaptic operations per second": 3.0}


def network(seed: int = 0) -> Network:
    """Random weights whose hidden layers fire about as often as the input."""
    rng = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(STEPS * SIZES[0], np.ones(1), np.zeros(1), 0, 1, False))]
    for k, (inputs, neurons) in enumerate(itertools.pairwise(SIZES)):
        spread = rng.integers(-30, 34, (neurons, inputs))
        threshold = round(9 * np.sqrt(inputs)) << FRACTION
        layer = LeakyNeurons(
            snntorch_leaky(decay_bits=8, fraction_bits=FRACTION),
            STEPS,
            spread,
            7,
            np.full(neurons, threshold),
            np.zeros(neurons, int),
            np.full(neurons, 230),
            np.zeros(neurons, int),
            np.zeros(neurons, int),
        )
        nodes.append(Node(f"layer{k}", layer, (nodes[-1].name,)))
    nodes.append(Node("counts", SpikeReadout(STEPS, SIZES[-1], "sum"), (nodes[-1].name,)))
    return Network("bench_spiking", tuple(nodes), Output(np.ones(1)))


def samples(count: int = SAMPLES) -> np.ndarray:
    """Input spikes int32 [samples, steps · 784]."""
    return (np.random.default_rng(1).random((count, STEPS * SIZES[0])) < ACTIVE).astype(np.int32)


def snntorch_runner(net: Network) -> Callable[[np.ndarray], np.ndarray]:
    """The same network in snnTorch, one sample at a time: spike counts float32 [outputs]."""
    import snntorch
    import torch

    torch.set_num_threads(1)
    layers = []
    for node in net.nodes:
        if isinstance(node.layer, LeakyNeurons):
            linear = torch.nn.Linear(node.layer.inputs, node.layer.neurons)
            linear.weight.data = torch.tensor(node.layer.weight, dtype=torch.float32)
            linear.bias.data = torch.zeros(node.layer.neurons)
            threshold = float(node.layer.threshold[0]) / 2**FRACTION
            layers.append((linear, snntorch.Leaky(beta=230 / 256, threshold=threshold)))

    def run(sample: np.ndarray) -> np.ndarray:
        events = torch.tensor(sample.reshape(STEPS, 1, SIZES[0]), dtype=torch.float32)
        membranes = [torch.zeros(1, linear.out_features) for linear, _ in layers]
        counts = torch.zeros(1, SIZES[-1])
        with torch.no_grad():
            for spikes in events:
                for k, (linear, neuron) in enumerate(layers):
                    spikes, membranes[k] = neuron(linear(spikes), membranes[k])
                counts += spikes
        return counts.numpy()[0]

    return run


def shortest_seconds(runs: dict[str, tuple[Callable[[np.ndarray], object], np.ndarray, int]]) -> dict[str, float]:
    """Per name: the mean over samples of the shortest call for each, rounds of all names taking turns.

    runs : by name, what to call with one sample, the samples, and how often in each round.
    """
    shortest = {name: np.full(SAMPLES, np.inf) for name in runs}
    for _ in range(ROUNDS):
        for name, (run, q, calls) in runs.items():
            for call in range(calls * SAMPLES):
                start = time.perf_counter()
                run(q[call % SAMPLES])
                taken = time.perf_counter() - start
                shortest[name][call % SAMPLES] = min(shortest[name][call % SAMPLES], taken)
    return {name: float(values.mean()) for name, values in shortest.items()}


def run() -> dict[str, float]:
    """All figures of one run; the first three are those of `GOALS`."""
    from edgeml.targets.cpu.native_network import NativeNetwork

    net, q = network(), samples()
    operations = measure(net, q)["total"]["synaptic_operations"]
    native, framework = NativeNetwork(net), snntorch_runner(net)
    if not np.array_equal(native.invoke(q), simulate(net, q)):
        raise SystemExit("the C does not compute golden's integers")
    agreeing = float(np.mean([np.array_equal(framework(sample), simulate(net, sample[None])[0]) for sample in q[:8]]))
    small = q.astype(np.uint8)
    seconds = shortest_seconds(
        {
            "snnTorch": (framework, q, 1),
            "golden": (lambda sample: simulate(net, sample[None]), q, 2),
            "C": (lambda sample: native.invoke(sample[None]), small, 10),
        }
    )
    return {
        "C / snnTorch": seconds["snnTorch"] / seconds["C"],
        "golden / snnTorch": seconds["snnTorch"] / seconds["golden"],
        "giga synaptic operations per second": operations / seconds["C"] / 1e9,
        "synaptic operations per sample": operations,
        "samples where snnTorch (float32) counts the same spikes": agreeing,
        **{f"{name}, ms per sample": value * 1e3 for name, value in seconds.items()},
    }


def main() -> None:
    """Print the figures, with the goals that they are held to."""
    print(f"Spiking {'-'.join(map(str, SIZES))}, {STEPS} steps, {ACTIVE:.0%} input, batch 1, one thread")
    for name, value in run().items():
        goal = f"   (goal {GOALS[name]:g})" if name in GOALS else ""
        print(f"  {name:<58} {value:12.4g}{goal}")


if __name__ == "__main__":
    main()
