"""Runs an exact spiking network event by event: work follows spikes, in any order that the encoding allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Network
from edgeml.network.golden import IntTensor
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.currents import wiring
from edgeml.network.spiking.encodings import encoding

__all__ = ["EventRun", "run_events"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EventRun:
    """What the events of one sample did.

    Parameters
    ----------
    outputs : int32 [outputs].
    values : decoded integers int32 [channels] per population.
    events : spikes that each population sent.
    synaptic_operations : weights added, zero ones not counted.
    """

    outputs: IntTensor
    values: dict[str, IntTensor]
    events: dict[str, int]
    synaptic_operations: int


class _Event:
    """One spike on its way: who sent it, and what it adds per unit of weight."""

    __slots__ = ("amount", "channel", "population")

    def __init__(self, population: str, channel: int, amount: int) -> None:
        self.population, self.channel, self.amount = population, channel, amount


class _Simulation:
    def __init__(self, network: Network, order: np.random.Generator | None) -> None:
        self.network, self.order = network, order
        self.wires = wiring(network)
        self.layers = {node.name: node.layer for node in network.nodes}
        last = network.nodes[-1]
        self.readout = "" if isinstance(last.layer, Neurons) else last.name
        self.targets: dict[str, list[tuple[str, Int64 | None]]] = {}
        self.potential: dict[str, Int64] = {}
        self.tracer: dict[str, Int64] = {}
        self.events: dict[str, int] = {}
        self.operations = 0
        for node in network.layers:
            if isinstance(node.layer, InputSpikes):
                self.events[node.name] = 0
            if not isinstance(node.layer, Neurons) and node.name != self.readout:
                continue
            into = self.wires[node.name if node.name == self.readout else node.inputs[0]]
            constant = into.constant.copy()
            for source in into.sources:
                self.targets.setdefault(source.population, []).append((node.name, source.weight))
                base = self._base(source.population)
                constant += base if source.weight is None else base * source.weight.sum(axis=1)
            if isinstance(node.layer, Neurons):
                constant += node.layer.schedule.charge
                self.tracer[node.name] = np.zeros(node.layer.channels, np.int64)
                self.events[node.name] = 0
            self.potential[node.name] = constant

    def _base(self, population: str) -> int:
        layer = self.layers[population]
        if isinstance(layer, Neurons):
            return layer.base
        assert isinstance(layer, InputSpikes)
        return 0 if layer.encoding == "direct" else layer.low

    def deliver(self, event: _Event) -> list[tuple[str, npt.NDArray[np.intp]]]:
        """Add the spike to every target; returns the neurons that it touched."""
        touched = []
        for target, weight in self.targets.get(event.population, []):
            if weight is None:
                neurons = np.array([event.channel], np.intp)
                self.potential[target][event.channel] += event.amount
            else:
                column = weight[:, event.channel]
                neurons = np.flatnonzero(column)
                self.potential[target][neurons] += event.amount * column[neurons]
                self.operations += neurons.size
            touched.append((target, neurons))
        return touched

    def send(self, population: str, spikes: Int64, levels: int) -> list[_Event]:
        """Spikes [slots, channels] as events; the slot's weight is what the receiver's shift or current makes of it."""
        name = self.layers[population].encoding  # type: ignore[attr-defined]
        code = encoding("graded" if name == "direct" else name)
        slots, channels = np.nonzero(spikes)
        self.events[population] += len(slots)
        return [
            _Event(population, int(c), int(spikes[s, c]) * code.weight(int(s), levels))
            for s, c in zip(slots, channels, strict=True)
        ]

    def shuffled(self, events: list[_Event]) -> list[_Event]:
        if self.order is not None:
            self.order.shuffle(events)
        return events

    def settle(self, name: str, neurons: npt.NDArray[np.intp]) -> list[_Event]:
        """Let stbif neurons correct themselves until they are at rest."""
        layer = self.layers[name]
        assert isinstance(layer, Neurons)
        steps, v, tracer = layer.schedule.increments, self.potential[name], self.tracer[name]
        sent = []
        for c in neurons:
            while True:
                if tracer[c] < layer.levels and v[c] >= steps[c, tracer[c]]:
                    v[c] -= steps[c, tracer[c]]
                    tracer[c] += 1
                    sent.append(_Event(name, int(c), 1))
                elif tracer[c] > 0 and v[c] < 0:
                    tracer[c] -= 1
                    v[c] += steps[c, tracer[c]]
                    sent.append(_Event(name, int(c), -1))
                else:
                    break
        self.events[name] += len(sent)
        return sent

    def run_phased(self, name: str) -> list[_Event]:
        """Fire a population whose window has come in whole."""
        layer = self.layers[name]
        assert isinstance(layer, Neurons)
        spikes, _ = layer.code.fire(self.potential[name][None], layer.schedule)
        self.tracer[name] = layer.schedule.level(self.potential[name])
        return self.send(name, spikes[:, 0], layer.levels)

    def run(self, q: IntTensor) -> EventRun:
        pending: list[_Event] = []
        for node in self.network.layers:
            layer = node.layer
            if isinstance(layer, InputSpikes):
                if layer.encoding == "direct":
                    spikes = q.astype(np.int64)[None]
                else:
                    spikes = encoding(layer.encoding).encode(q.astype(np.int64)[None] - layer.low, layer.levels)[:, 0]
                pending += self.send(node.name, spikes, layer.levels)
            elif isinstance(layer, Neurons) and layer.code.phased:
                self._drain(pending)
                pending += self.run_phased(node.name)
            elif isinstance(layer, Neurons):
                pending += self.settle(node.name, np.arange(layer.channels))
        self._drain(pending)
        values = {}
        for name, tracer in self.tracer.items():
            values[name] = (tracer + self._base(name)).astype(np.int32)
        for node in self.network.layers:
            if isinstance(node.layer, InputSpikes):
                values[node.name] = q.astype(np.int32)
        outputs = self.potential[self.readout].astype(np.int32) if self.readout else values[self.network.nodes[-1].name]
        return EventRun(outputs, values, dict(self.events), self.operations)

    def _drain(self, pending: list[_Event]) -> None:
        """Process events, in the given order or in a random one, until none is left."""
        while pending:
            at = int(self.order.integers(len(pending))) if self.order is not None else 0
            if at:
                pending[at], pending[-1] = pending[-1], pending[at]
                event = pending.pop()
            else:
                event = pending.pop(0)
            for target, neurons in self.deliver(event):
                layer = self.layers[target]
                if isinstance(layer, Neurons) and not layer.code.phased:
                    pending += self.settle(target, neurons)


def run_events(network: Network, q: npt.NDArray[Any], order: np.random.Generator | None = None) -> list[EventRun]:
    """Run each sample of q [samples, inputs] event by event.

    order : gives a random order in which pending events are processed; None processes them as they were sent.
        Within the windows of the phased encodings and at any time for `stbif` no order changes an integer.
    """
    checked = network.check_input(np.asarray(q))
    return [_Simulation(network, order).run(sample) for sample in checked]
