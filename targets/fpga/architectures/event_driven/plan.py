"""How a spiking network is laid out: its input population, its layers of neurons, and the readout behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.network import Network
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.currents import Wiring, wiring

from ...verilog.text import Element, signed_bits, type_of
from ..folded.folding import Folding, ceil_div

__all__ = ["ENCODINGS", "SpikingLayer", "SpikingPlan", "is_spiking", "make_spiking_plan", "slots_of"]

ENCODINGS = {"unary": 0, "ttfs": 1, "stbif": 2, "graded": 3, "sar": 4}
"""Encodings that have RTL, with their numbers in `edgeml_spiking`."""

Int64 = npt.NDArray[np.int64]


def is_spiking(network: Network) -> bool:
    """Whether a network is of the exact spiking form."""
    return any(isinstance(node.layer, InputSpikes) for node in network.layers)


@dataclass(frozen=True, eq=False)
class SpikingLayer:
    """A population: synapses from those before it and neurons, or membranes that are read out.

    Its channels are the neurons of the layer before, and behind them what that layer relays of its own channels.

    Parameters
    ----------
    name : of its node. weight : int64 [neurons, channels]. start : int64 [neurons], membranes when a frame begins.
    steps : int64 [neurons, levels], what each spike costs; None for the readout. encoding : of its spikes, or "".
    pe : membranes per clock. amount : smallest and largest amount of an event that comes in.
    lowest, highest : int64 [channels], smallest and largest sum of a channel's amounts at any time of a frame.
    relay : first channel whose events are passed on behind the layer's own, and the one behind the last.
    """

    name: str
    weight: Int64
    start: Int64
    steps: Int64 | None
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
        return 0 if self.steps is None else int(self.steps.shape[1])

    @property
    def words(self) -> int:
        """Clocks to pass all membranes."""
        return ceil_div(self.neurons, self.pe)

    @property
    def equal(self) -> bool:
        """Whether every neuron has one step for all its spikes; `sar` neurons look at sums of steps."""
        return self.steps is not None and self.encoding != "sar" and bool(np.all(self.steps == self.steps[:, :1]))

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
        room = np.zeros(self.neurons, np.int64) if self.steps is None else self.steps.sum(axis=1)
        least = self.start + np.minimum(up @ self.lowest + down @ self.highest, 0) - room
        most = self.start + np.maximum(up @ self.highest + down @ self.lowest, 0) + room
        return int(least.min()), int(most.max())

    @property
    def membrane_bits(self) -> int:
        return signed_bits(*self.membrane_range)


@dataclass(frozen=True, eq=False)
class SpikingPlan:
    """A spiking network laid out: the encoder of its input, its layers in order, the readout last."""

    network: Network
    source: InputSpikes
    layers: tuple[SpikingLayer, ...]

    @property
    def input_element(self) -> Element:
        return type_of(self.network.quantizer.low, self.network.quantizer.high)

    @property
    def output_element(self) -> Element:
        return Element(self.layers[-1].membrane_bits, True)

    @property
    def folds(self) -> dict[str, Folding]:
        """Membranes per clock of every layer."""
        return {layer.name: Folding(layer.pe, 1) for layer in self.layers}


def make_spiking_plan(network: Network, folds: Mapping[str, Folding]) -> SpikingPlan:
    """Lay out a spiking network with so many membranes per clock, by layer (others: one).

    Raises InputError naming the layer where other kinds of layers, or several inputs, have no RTL.
    """
    try:
        wires = wiring(network)
    except NetworkError as error:
        raise InputError(error.where, error.problem, error.remedy) from error
    populations = {node.name: node.layer for node in network.layers if isinstance(node.layer, (InputSpikes, Neurons))}
    sources = [name for name, layer in populations.items() if isinstance(layer, InputSpikes)]
    if len(sources) != 1 or next(iter(populations)) != sources[0]:
        raise InputError(f"network {network.name}", f"has {len(sources)} input populations; one is supported")
    last = network.nodes[-1]
    readout = f"{last.name}_readout" if isinstance(last.layer, Neurons) else last.name
    stages = [(name, wires[_input_of(network, name)]) for name in populations if name != sources[0]]
    stages.append((readout, wires[last.name]))
    layers: list[SpikingLayer] = []
    reaching = [sources[0]]
    for position, (name, into) in enumerate(stages):
        pe = folds.get(name, Folding(1, 1)).pe
        later = {source.population for _, wire in stages[position + 1 :] for source in wire.sources}
        layer = _layer(name, into, reaching, populations, pe)
        if not 1 <= pe <= layer.neurons:
            raise InputError(f"layer {name}", f"has {layer.neurons} membranes, cannot pass {pe} per clock")
        kept = [index for index, population in enumerate(reaching) if population in later]
        first, behind = (kept[0], kept[-1] + 1) if kept else (0, 0)
        sizes = [network.sizes[population] for population in reaching]
        layers.append(replace(layer, relay=(sum(sizes[:first]), sum(sizes[:behind]))))
        reaching = [name, *reaching[first:behind]]
    entry = populations[sources[0]]
    assert isinstance(entry, InputSpikes)
    return SpikingPlan(network, entry, tuple(layers))


def _layer(
    name: str, into: Wiring, reaching: Sequence[str], populations: Mapping[str, InputSpikes | Neurons], pe: int
) -> SpikingLayer:
    """A layer whose channels are those of the populations `reaching` it, whether it has synapses from them or not."""
    neurons = len(into.constant)
    constant = into.constant.astype(np.int64)
    parts, lowest, highest, amounts = [], [], [], []
    for population in reaching:
        before = populations[population]
        channels = before.size if isinstance(before, InputSpikes) else before.channels
        base, amount, (low, high) = _silence_and_amounts(before)
        weight = np.zeros((neurons, channels), np.int64)
        for source in into.sources:
            if source.population == population:
                weight += np.eye(channels, dtype=np.int64) if source.weight is None else source.weight
        constant = constant + base * weight.sum(axis=1)
        parts.append(weight)
        lowest.append(np.full(channels, low, np.int64))
        highest.append(np.full(channels, high, np.int64))
        amounts.append(amount)
    layer = populations.get(name)
    steps, encoding = None, ""
    if isinstance(layer, Neurons):
        steps, encoding = layer.schedule.steps, layer.encoding
        constant = constant + layer.schedule.charge
    amount = (min(low for low, _ in amounts), max(high for _, high in amounts))
    whole = np.concatenate(parts, axis=1)
    return SpikingLayer(
        name, whole, constant, steps, encoding, pe, amount, np.concatenate(lowest), np.concatenate(highest)
    )


def slots_of(encoding: str, levels: int) -> int:
    """Slots in which a unit looks at its neurons, or at its values, when they fire."""
    return levels.bit_length() if encoding == "sar" else levels


def _input_of(network: Network, name: str) -> str:
    (before,) = (node.inputs[0] for node in network.layers if node.name == name)
    return str(before)


def _silence_and_amounts(before: InputSpikes | Neurons) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """(what silence stands for, amounts of an event, sums of a channel's amounts) of a population."""
    if before.encoding == "direct":
        assert isinstance(before, InputSpikes)
        return 0, (min(before.low, 0), max(before.high, 0)), (min(before.low, 0), max(before.high, 0))
    base = before.low if isinstance(before, InputSpikes) else before.base
    highest = {"unary": 1, "stbif": 1, "sar": 1 << before.levels.bit_length() - 1}.get(before.encoding, before.levels)
    lowest = -1 if before.encoding == "stbif" else 0
    return base, (lowest, highest), (0, before.levels)
