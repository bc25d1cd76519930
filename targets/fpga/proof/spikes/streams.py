"""What the events of a stream stand for: by channel the population's integer, and what their amounts add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network

from ...architectures.spiking_networks import SpikingNetwork, Stage
from ..folded.netlist import Bits, Cell
from .neurons import Potentials
from .unit import Int64, Unit

__all__ = ["Channel", "Events", "check_encoder", "entry_events", "events_behind", "potentials_of", "weights_of"]

_SOURCES = {"direct": 0, "graded": 0, "unary": 1, "stbif": 1, "ttfs": 2, "sar": 3}


@dataclass(frozen=True)
class Channel:
    """The integer `index` of a population; its amounts add up to it less `base`, at any time to low … high."""

    population: str
    index: int
    base: int
    low: int
    high: int


@dataclass(frozen=True)
class Events:
    """A stream of events. bits : of (channel, amount)."""

    channels: tuple[Channel, ...]
    bits: tuple[int, int]


def entry_events(spikes: SpikingNetwork, encoder: Cell) -> Events:
    """What the input's encoder gives: all channels of the input."""
    entry = spikes.entry
    base = 0 if entry.encoding == "direct" else entry.low
    low, high = min(entry.low - base, 0), max(entry.high - base, 0)
    channels = tuple(Channel(spikes.entry_name, k, base, low, high) for k in range(entry.size))
    return Events(channels, (int(encoder.parameters["CHANNEL_BITS"]), int(encoder.parameters["AMOUNT_BITS"])))


def check_encoder(network: Network, spikes: SpikingNetwork, cell: Cell, in_data: Bits) -> None:
    """The encoder's parameters are those of the input: what it does with these the prover `library` is about."""
    entry, given = spikes.entry, cell.parameters
    quantizer = network.quantizer
    wanted = {
        "SIZE": entry.size,
        "LOW": 0 if entry.encoding == "direct" else entry.low,
        "LEVELS": entry.levels,
        "ENCODING": _SOURCES[entry.encoding],
        "INPUT_BITS": len(in_data),
    }
    for name, value in wanted.items():
        if given[name] != value:
            raise CheckFailed("the input's encoder", f"has {name} = {given[name]}, not {value}")
    bits = len(in_data)
    low = -(1 << bits - 1) if given["INPUT_SIGNED"] else 0
    if not low <= quantizer.low <= quantizer.high < low + (1 << bits):
        raise CheckFailed("the input's encoder", f"does not read {quantizer.low} … {quantizer.high} from {bits} bits")
    if not entry.low <= quantizer.low <= quantizer.high <= entry.high:
        raise CheckFailed("the input's encoder", "does not encode all inputs")
    span = 1 << int(given["AMOUNT_BITS"]) - 1
    base = int(wanted["LOW"])
    most = max(entry.high - base, -(entry.low - base) - 1)
    amount = 1 if wanted["ENCODING"] == 1 else 1 << entry.levels.bit_length() - 1 if wanted["ENCODING"] == 3 else most
    if amount >= span or 1 << int(given["CHANNEL_BITS"]) < entry.size:
        raise CheckFailed("the input's encoder", "has too few bits for its events")


def weights_of(unit: Unit, stage: Stage, events: Events) -> Int64:
    """What an event of each channel must bring to each neuron: int64 [channels, neurons]. Raises CheckFailed."""
    if unit.number("CHANNELS") != len(events.channels):
        raise CheckFailed("events", f"come of {len(events.channels)} channels, not {unit.number('CHANNELS')}")
    bits = (unit.number("IN_CHANNEL_BITS"), unit.number("IN_AMOUNT_BITS"))
    if events.bits != bits or 1 << bits[0] < len(events.channels):
        raise CheckFailed("events", "are read by other fields than they are given in")
    neurons = len(stage.wiring.constant)
    if not unit.lanes * (unit.words - 1) < neurons <= unit.lanes * unit.words:
        raise CheckFailed("membranes", f"are {unit.words} words of {unit.lanes}, for {neurons}")
    places = {(channel.population, channel.index): k for k, channel in enumerate(events.channels)}
    found = np.zeros((len(events.channels), neurons), np.int64)
    for source in stage.wiring.sources:
        size = neurons if source.weight is None else source.weight.shape[1]
        weight = np.eye(size, dtype=np.int64) if source.weight is None else source.weight
        for index in range(size):
            place = places.get((source.population, index))
            if place is None:
                raise CheckFailed("events", f"of {source.population}[{index}] do not come")
            found[place] += weight[:, index]
    weight_bits = unit.number("WEIGHT_BITS")
    if found.min(initial=0) < -(1 << weight_bits - 1) or found.max(initial=0) >= 1 << weight_bits - 1:
        raise CheckFailed("weights", f"do not fit {weight_bits} bits")
    return found


def potentials_of(network: Network, stage: Stage, events: Events, starts: Int64) -> Potentials:
    """What the membranes may hold: z at a frame's end, of stbif at any time; and how far v lies above z."""
    constant = stage.wiring.constant.astype(np.int64).copy()
    reach = network.ranges[stage.node]
    low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
    any_low, any_high = np.zeros_like(constant), np.zeros_like(constant)
    by_name = {(channel.population, channel.index): channel for channel in events.channels}
    for source in stage.wiring.sources:
        size = len(constant) if source.weight is None else source.weight.shape[1]
        weight = np.eye(size, dtype=np.int64) if source.weight is None else source.weight.astype(np.int64)
        for index in range(size):
            channel = by_name[source.population, index]
            constant += weight[:, index] * channel.base
            any_low += np.minimum(weight[:, index] * channel.low, weight[:, index] * channel.high)
            any_high += np.maximum(weight[:, index] * channel.low, weight[:, index] * channel.high)
    if stage.neurons is not None and stage.neurons.encoding == "stbif":
        low, high = constant + any_low, constant + any_high
    thresholds = np.zeros((len(constant), 0), np.int64) if stage.neurons is None else stage.neurons.thresholds
    return Potentials(low, high, starts - constant, thresholds.astype(np.int64))


def events_behind(unit: Unit, stage: Stage, events: Events) -> Events:
    """What a unit gives: its neurons, and behind them the channels that it passes on. Raises CheckFailed."""
    neurons = stage.neurons
    first, behind = unit.number("RELAY_FROM"), unit.number("RELAY_TO")
    if neurons is None or not 0 <= first <= behind <= len(events.channels):
        raise CheckFailed("relayed events", "are of channels that do not come")
    wanted = {"LEVELS": neurons.levels, "NEURONS": neurons.channels}
    for name, value in wanted.items():
        if unit.number(name) != value:
            raise CheckFailed("neurons", f"have {name} = {unit.number(name)}, not {value}")
    if unit.encoding != neurons.encoding:
        raise CheckFailed("neurons", f"fire as {unit.encoding}, not {neurons.encoding}")
    own = [Channel(stage.name, n, neurons.base, 0, neurons.levels) for n in range(neurons.channels)]
    channels = (*own, *events.channels[first:behind])
    bits = (unit.number("OUT_CHANNEL_BITS"), unit.number("OUT_AMOUNT_BITS"))
    if len(channels) > 1 << bits[0]:
        raise CheckFailed("events", f"of {len(channels)} channels do not fit {bits[0]} bits")
    return Events(channels, bits)
