"""Runs the actual spikes of an exact spiking network, slot by slot, for many samples at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..golden import IntTensor
from ..layers.input_spikes import InputSpikes
from ..layers.neurons import Neurons
from ..network import Network
from .currents import Wiring, wiring
from .encodings import Stbif, Train, encoding

__all__ = ["SpikeRun", "run"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SpikeRun:
    """What the spikes of a network did.

    Parameters
    ----------
    outputs : int32 [samples, outputs]: membranes of the last layer, which does not fire; or its decoded spikes.
    values : decoded integers int32 [samples, channels] per population.
    spikes : int64 [slots, samples, channels] per population, input included.
    membranes : int64 [slots, samples, channels] per layer of neurons, after each slot of its firing window.
    synaptic_operations : int64 [samples] per node that has synapses: additions of a weight, as NeuroBench counts
        them (a spike times the synapses behind it that are not zero).
    """

    outputs: IntTensor
    values: dict[str, IntTensor] = field(default_factory=dict)
    spikes: dict[str, Int64] = field(default_factory=dict)
    membranes: dict[str, Int64] = field(default_factory=dict)
    synaptic_operations: dict[str, Int64] = field(default_factory=dict)


def _input_train(layer: InputSpikes, q: IntTensor) -> Train:
    if layer.encoding == "direct":
        return Train(q.astype(np.int64)[None], layer.levels, 0)
    count = q.astype(np.int64) - layer.low
    return Train(encoding(layer.encoding).encode(count, layer.levels), layer.levels, layer.low)


def _currents(train: Train, weight: Int64 | None) -> Int64:
    """W·s for every slot: int64 [slots, samples, neurons]; on float64 products, exact below 2^53."""
    if weight is None:
        return train.spikes
    product: Int64 = np.rint(train.spikes.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)
    return product


class _Populations:
    def __init__(self) -> None:
        self.trains: dict[str, Train] = {}
        self.encodings: dict[str, str] = {}

    def start(self, into: Wiring, samples: int) -> Int64:
        """Bias and what silence stands for: int64 [samples, neurons]."""
        constant = into.constant.copy()
        for source in into.sources:
            base = self.trains[source.population].base
            if source.weight is None:
                constant += base
            else:
                constant += base * source.weight.sum(axis=1)
        return np.repeat(constant[None], samples, axis=0)

    def charged(self, into: Wiring, start: Int64) -> Int64:
        """The potential after all windows have come in: int64 [samples, neurons]."""
        potential = start.copy()
        for source in into.sources:
            train = self.trains[source.population]
            currents = _currents(train, source.weight)
            name = self.encodings[source.population]
            if name == "direct":
                potential += currents.sum(axis=0)
            else:
                potential += encoding(name).integrate(currents, train.levels)[-1]
        return potential

    def flowing(self, into: Wiring) -> Int64:
        """What arrives slot by slot, for neurons that fire as they take in: int64 [slots, samples, neurons]."""
        flows = []
        for source in into.sources:
            train = self.trains[source.population]
            if self.encodings[source.population] in ("sar", "ttfs"):
                total = encoding(self.encodings[source.population]).integrate(
                    _currents(train, source.weight), train.levels
                )
                flows.append(np.diff(total, axis=0, prepend=np.zeros_like(total[:1])))
            else:
                flows.append(_currents(train, source.weight))
        merged = np.zeros((max(len(flow) for flow in flows), *flows[0].shape[1:]), np.int64)
        for flow in flows:
            merged[: len(flow)] += flow
        return merged

    def operations(self, into: Wiring, samples: int) -> Int64:
        """Synaptic operations int64 [samples] of one set of synapses."""
        total = np.zeros(samples, np.int64)
        for source in into.sources:
            if source.weight is not None:
                fan_out = np.count_nonzero(source.weight, axis=0)
                total += (np.count_nonzero(self.trains[source.population].spikes, axis=0) * fan_out).sum(axis=1)
        return total


def run(network: Network, q: npt.NDArray[Any]) -> SpikeRun:
    """Run input integers q [samples, inputs] through `network` as spikes.

    Raises InputError if q does not fit, NetworkError if a layer has no exact spikes.
    """
    checked = network.check_input(np.asarray(q))
    wires = wiring(network)
    populations = _Populations()
    result = SpikeRun(np.zeros((len(checked), network.output_size), np.int32))
    potential: Int64 = np.zeros((len(checked), network.input_size), np.int64)
    inputs, neurons = network.of_kind(InputSpikes), network.of_kind(Neurons)
    integers: dict[str, IntTensor] = {network.nodes[0].name: checked}
    for node in network.layers:
        if node.name in inputs:
            source = inputs[node.name]
            populations.trains[node.name] = train = _input_train(source, integers[node.inputs[0]])
            populations.encodings[node.name] = source.encoding
            code = encoding("graded" if source.encoding == "direct" else source.encoding)
            potential = code.decode(train)
        elif node.name in neurons:
            layer, into = neurons[node.name], wires[node.inputs[0]]
            start = populations.start(into, len(checked)) + layer.schedule.charge
            code = layer.code
            if isinstance(code, Stbif):
                spikes, membranes = code.react(populations.flowing(into), start, layer.schedule)
            else:
                spikes, membranes = code.fire(populations.charged(into, start), layer.schedule)
            train = Train(spikes, layer.levels, layer.base)
            populations.trains[node.name], populations.encodings[node.name] = train, layer.encoding
            result.membranes[node.name] = membranes
            result.synaptic_operations[node.name] = populations.operations(into, len(checked))
            potential = code.decode(train)
        else:
            if node.name not in wires:  # before all spikes: bits of the input
                integers[node.name] = node.layer.evaluate(*(integers[name] for name in node.inputs))
            continue
        result.spikes[node.name] = train.spikes
        result.values[node.name] = potential.astype(np.int32)
    last = network.nodes[-1]
    if last.name not in neurons:
        into = wires[last.name]
        potential = populations.charged(into, populations.start(into, len(checked)))
        result.synaptic_operations[last.name] = populations.operations(into, len(checked))
    result.outputs[:] = potential
    return result
