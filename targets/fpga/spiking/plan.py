"""How a spiking network is laid out: its input population, its layers of neurons, and the readout behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.network import Network
from edgeml.network.layers.neurons import InputSpikes, Neurons
from edgeml.network.spiking.currents import Wiring, wiring

from ..folded.plan import Fold, ceil_div
from ..verilog import Element, signed_bits, type_of

__all__ = ["ENCODINGS", "SpikingLayer", "SpikingPlan", "is_spiking", "make_spiking_plan"]

ENCODINGS = {"unary": 0, "ttfs": 1, "stbif": 2, "graded": 3}
"""Encodings that have RTL, with their numbers in `edgeml_spiking`."""

Int64 = npt.NDArray[np.int64]


def is_spiking(network: Network) -> bool:
    """Whether a network is of the exact spiking form."""
    return any(isinstance(node.layer, InputSpikes) for node in network.layers)


@dataclass(frozen=True, eq=False)
class SpikingLayer:
    """A population: synapses from the one before it and neurons, or membranes that are read out.

    Parameters
    ----------
    name : of its node. weight : int64 [neurons, channels]. start : int64 [neurons], membranes when a frame begins.
    steps : int64 [neurons, levels], what each spike costs; None for the readout. encoding : of its spikes, or "".
    pe : membranes per clock. amount : smallest and largest amount of an event that comes in.
    channel_total : smallest and largest sum of a channel's amounts over a frame, at any time within it.
    """

    name: str
    weight: Int64
    start: Int64
    steps: Int64 | None
    encoding: str
    pe: int
    amount: tuple[int, int]
    channel_total: tuple[int, int]

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
        """Whether every neuron has one step for all its spikes."""
        return self.steps is not None and bool(np.all(self.steps == self.steps[:, :1]))

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
        low, high = self.channel_total
        up, down = np.maximum(self.weight, 0).sum(axis=1), np.minimum(self.weight, 0).sum(axis=1)
        room = np.zeros(self.neurons, np.int64) if self.steps is None else self.steps.sum(axis=1)
        least = self.start + np.minimum(up * low + down * high, 0) - room
        most = self.start + np.maximum(up * high + down * low, 0) + room
        return int(least.min()), int(most.max())

    @property
    def membrane_bits(self) -> int:
        return signed_bits(*self.membrane_range)

    @property
    def spike_amounts(self) -> tuple[int, int]:
        """Smallest and largest amount of an event that the layer gives."""
        if self.encoding == "stbif":
            return -1, 1
        return 0, 1 if self.encoding == "unary" else self.levels


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
    def folds(self) -> dict[str, Fold]:
        """Membranes per clock of every layer."""
        return {layer.name: Fold(layer.pe, 1) for layer in self.layers}


def _only_source(network: Network, wires: Mapping[str, Wiring], name: str) -> tuple[str, Int64, Int64]:
    """(population, weight, constant) of what reaches a node."""
    into = wires[name]
    if len(into.sources) != 1:
        raise InputError(
            f"layer {name}",
            f"takes spikes from {len(into.sources)} populations; event-driven units take those of one",
            "Convert without residual paths, or as the quantized form",
        )
    source = into.sources[0]
    weight = np.eye(network.sizes[name], dtype=np.int64) if source.weight is None else source.weight
    return source.population, weight, into.constant


def make_spiking_plan(network: Network, folds: Mapping[str, Fold]) -> SpikingPlan:
    """Lay out a spiking network with so many membranes per clock, by layer (others: one).

    Raises InputError naming the layer and what has no RTL: an encoding, residual paths, other kinds of layers.
    """
    try:
        wires = wiring(network)
    except NetworkError as error:
        raise InputError(error.where, error.problem, error.remedy) from error
    populations = {node.name: node.layer for node in network.layers if isinstance(node.layer, (InputSpikes, Neurons))}
    for name, layer in populations.items():
        if layer.encoding not in ENCODINGS and layer.encoding != "direct":
            raise InputError(
                f"layer {name}",
                f"the encoding {layer.encoding!r} has no event-driven unit",
                f"Choose one of {', '.join(ENCODINGS)} (--encoding)",
            )
    sources = [layer for layer in populations.values() if isinstance(layer, InputSpikes)]
    if len(sources) != 1:
        raise InputError(f"network {network.name}", f"has {len(sources)} input populations; one is supported")
    layers = []
    last = network.nodes[-1]
    for name, layer in [*populations.items(), ("", None)]:
        if isinstance(layer, InputSpikes):
            continue
        if layer is None:
            readout = f"{last.name}_readout" if isinstance(last.layer, Neurons) else last.name
            population, weight, constant = _only_source(network, wires, last.name)
            steps, encoding, name = None, "", readout
        else:
            population, weight, constant = _only_source(network, wires, _input_of(network, name))
            steps, encoding = layer.schedule.steps, layer.encoding
            constant = constant + layer.schedule.charge
        before = populations[population]
        base, amount, total = _silence_and_amounts(before)
        pe = folds.get(name, Fold(1, 1)).pe
        if not 1 <= pe <= len(weight):
            raise InputError(f"layer {name}", f"has {len(weight)} membranes, cannot pass {pe} per clock")
        start = constant + base * weight.sum(axis=1)
        layers.append(SpikingLayer(name, weight, start, steps, encoding, pe, amount, total))
    return SpikingPlan(network, sources[0], tuple(layers))


def _input_of(network: Network, name: str) -> str:
    return next(node.inputs[0] for node in network.layers if node.name == name)


def _silence_and_amounts(before: InputSpikes | Neurons) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """(what silence stands for, amounts of an event, sums of a channel's amounts) of a population."""
    if before.encoding == "direct":
        assert isinstance(before, InputSpikes)
        return 0, (min(before.low, 0), max(before.high, 0)), (min(before.low, 0), max(before.high, 0))
    base = before.low if isinstance(before, InputSpikes) else before.base
    highest = 1 if before.encoding in ("unary", "stbif") else before.levels
    lowest = -1 if before.encoding == "stbif" else 0
    return base, (lowest, highest), (0, before.levels)
