"""How a spiking network is laid out: its input population, its layers of neurons, and the readout behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.layers.input_spikes import InputSpikes

from ...verilog.element import Element, signed_bits, type_of
from ..spiking_networks import Stage, spiking_network
from .population import Population, population_of_input, population_of_neurons

__all__ = ["ENCODINGS", "EventDrivenLayer", "EventDrivenPlan", "make_event_driven_plan"]

ENCODINGS = {"unary": 0, "ttfs": 1, "stbif": 2, "graded": 3, "sar": 4}
"""Encodings that have RTL, with their numbers in `edgeml_spiking`."""

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EventDrivenLayer:
    """A population: synapses from those before it and neurons, or membranes that are read out.

    Its channels are the neurons of the layer before, and behind them what that layer relays of its own channels.

    Parameters
    ----------
    name : of its node. weight : int64 [neurons, channels]. start : int64 [neurons], membranes when a frame begins.
    increments : int64 [neurons, levels], what each spike costs; None for the readout. encoding : of its spikes, or "".
    pe : membranes per clock. amount : smallest and largest amount of an event that comes in.
    lowest, highest : int64 [channels], smallest and largest sum of a channel's amounts at any time of a frame.
    relay : first channel whose events are passed on behind the layer's own, and the one behind the last.
    """

    name: str
    weight: Int64
    start: Int64
    increments: Int64 | None
    encoding: str
    pe: int
    amount: tuple[int, int]
    lowest: Int64
    highest: Int64
    relay: tuple[int, int] = (0, 0)

    @property
    def neurons(self) -> int:
        return int(self.weight.shape[0])

    @property
    def channels(self) -> int:
        return int(self.weight.shape[1])

    @property
    def levels(self) -> int:
        """Most spikes of a neuron."""
        return 0 if self.increments is None else int(self.increments.shape[1])

    @property
    def words(self) -> int:
        """Clocks to pass all membranes."""
        return -(-self.neurons // self.pe)

    @property
    def equal(self) -> bool:
        """Whether every neuron has one increment for all its spikes; `sar` neurons look at sums of increments."""
        return (
            self.increments is not None
            and self.encoding != "sar"
            and bool(np.all(self.increments == self.increments[:, :1]))
        )

    @property
    def weight_bits(self) -> int:
        return signed_bits(int(self.weight.min()), int(self.weight.max()))

    @property
    def amount_bits(self) -> int:
        return signed_bits(*self.amount)

    @property
    def channel_bits(self) -> int:
        """Of the channel in an incoming event."""
        return max((self.channels - 1).bit_length(), 1)

    @property
    def membrane_range(self) -> tuple[int, int]:
        """Bounds of every membrane at any time, in whatever order events come."""
        up, down = np.maximum(self.weight, 0), np.minimum(self.weight, 0)
        room = np.zeros(self.neurons, np.int64) if self.increments is None else self.increments.sum(axis=1)
        least = self.start + np.minimum(up @ self.lowest + down @ self.highest, 0) - room
        most = self.start + np.maximum(up @ self.highest + down @ self.lowest, 0) + room
        return int(least.min()), int(most.max())

    @property
    def membrane_bits(self) -> int:
        return signed_bits(*self.membrane_range)


@dataclass(frozen=True, eq=False)
class EventDrivenPlan:
    """A spiking network laid out: the encoder of its input, its layers in order, the readout last."""

    network: Network
    source: InputSpikes
    layers: tuple[EventDrivenLayer, ...]

    @property
    def input_element(self) -> Element:
        return type_of(self.network.quantizer.low, self.network.quantizer.high)

    @property
    def output_element(self) -> Element:
        return Element(self.layers[-1].membrane_bits, True)

    @property
    def membranes(self) -> dict[str, int]:
        """Membranes per clock of every layer."""
        return {layer.name: layer.pe for layer in self.layers}

    def with_membranes(self, most: int) -> EventDrivenPlan:
        """The same with as many membranes per clock, in layers that have as many."""
        layers = tuple(replace(layer, pe=min(layer.neurons, most)) for layer in self.layers)
        return replace(self, layers=layers)


def make_event_driven_plan(network: Network, membranes: Mapping[str, int]) -> EventDrivenPlan:
    """Lay out a spiking network with so many membranes per clock, by layer (others: one).

    Raises InputError naming the layer if other kinds of layers, or several inputs, have no RTL.
    """
    spikes = spiking_network(network)
    populations = {spikes.entry_name: population_of_input(spikes.entry_name, spikes.entry)}
    layers: list[EventDrivenLayer] = []
    reaching = [spikes.entry_name]
    for position, stage in enumerate(spikes.stages):
        name, pe = stage.name, membranes.get(stage.name, 1)
        if stage.neurons is not None:
            populations[name] = population_of_neurons(name, stage.neurons)
        later = {source.population for after in spikes.stages[position + 1 :] for source in after.wiring.sources}
        layer = _layer(stage, [populations[before] for before in reaching], pe)
        if not 1 <= pe <= layer.neurons:
            raise InputError(f"layer {name}", f"has {layer.neurons} membranes, cannot pass {pe} per clock")
        kept = [index for index, population in enumerate(reaching) if population in later]
        first, behind = (kept[0], kept[-1] + 1) if kept else (0, 0)
        sizes = [network.sizes[population] for population in reaching]
        layers.append(replace(layer, relay=(sum(sizes[:first]), sum(sizes[:behind]))))
        reaching = [name, *reaching[first:behind]]
    return EventDrivenPlan(network, spikes.entry, tuple(layers))


def _layer(stage: Stage, reaching: Sequence[Population], pe: int) -> EventDrivenLayer:
    """A layer whose channels are those of the populations `reaching` it, whether it has synapses from them or not."""
    neurons = len(stage.wiring.constant)
    start = stage.wiring.constant.astype(np.int64)
    weights, lowest, highest = [], [], []
    for before in reaching:
        weight = np.zeros((neurons, before.channels), np.int64)
        for source in stage.wiring.sources:
            if source.population == before.name:
                weight += np.eye(before.channels, dtype=np.int64) if source.weight is None else source.weight
        start = start + before.silence * weight.sum(axis=1)
        weights.append(weight)
        low, high = before.totals
        lowest.append(np.full(before.channels, low, np.int64))
        highest.append(np.full(before.channels, high, np.int64))
    increments, encoding = None, ""
    if stage.neurons is not None:
        increments, encoding = stage.neurons.schedule.increments, stage.neurons.encoding
        start = start + stage.neurons.schedule.charge
    amount = (min(before.amounts[0] for before in reaching), max(before.amounts[1] for before in reaching))
    bounds = np.concatenate(lowest), np.concatenate(highest)
    return EventDrivenLayer(
        stage.name, np.concatenate(weights, axis=1), start, increments, encoding, pe, amount, *bounds
    )
