"""What gives spikes in a design of a step per clock: in which slots, and when it gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeml.errors import InputError
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons

from ...verilog.element import Element

__all__ = [
    "DOUBLED",
    "FLOWING",
    "SUMMED",
    "VALUES",
    "Population",
    "Reached",
    "Spikes",
    "Window",
    "placed",
    "spikes_of_input",
    "spikes_of_neurons",
    "window_of",
]

SUMMED, DOUBLED, FLOWING = 0, 1, 2
"""How potentials take in a window: RULE of `edgeml_slot_potential`."""
VALUES = "values"
"""The encoding of a population that gives its integers themselves."""


@dataclass(frozen=True)
class Spikes:
    """What a population gives in a frame, before it is known when.

    Parameters
    ----------
    name : of its node. channels : how many. encoding : of its spikes; `values` if the integers themselves are given,
        in one slot. slots : length of its window. base : what silence stands for. levels : largest number that a
        channel's spikes stand for.
    """

    name: str
    channels: int
    encoding: str
    slots: int
    base: int
    levels: int


@dataclass(frozen=True)
class Population(Spikes):
    """A population in a design.

    Parameters
    ----------
    signal : name of the bus. element : type of one channel in one slot. begin : clock of its first slot.
    """

    signal: str
    element: Element
    begin: int

    @property
    def end(self) -> int:
        """Clock of its last slot."""
        return self.begin + self.slots - 1

    @property
    def total(self) -> tuple[int, int]:
        """Smallest and largest sum of a channel's spikes, in any number of slots."""
        if self.encoding == VALUES:
            return min(self.element.low, 0), max(self.element.high, 0)
        return 0, self.levels


@dataclass(frozen=True)
class Reached:
    """A population as it reaches a layer: `delay` clocks after it was given."""

    population: Population
    delay: int


@dataclass(frozen=True)
class Window:
    """The slots in which spikes come to a layer, and how its potentials take them in: `rule`."""

    rule: int
    slots: int


def placed(spikes: Spikes, signal: str, element: Element, begin: int) -> Population:
    """The population that gives these spikes from a clock on."""
    said = (spikes.name, spikes.channels, spikes.encoding, spikes.slots, spikes.base, spikes.levels)
    return Population(*said, signal, element, begin)


def spikes_of_input(name: str, layer: InputSpikes) -> Spikes:
    """What the input population gives."""
    if layer.encoding in ("direct", "graded"):
        return Spikes(name, layer.size, VALUES, 1, 0, layer.levels)
    slots = layer.levels.bit_length() if layer.encoding == "sar" else layer.levels
    return Spikes(name, layer.size, layer.encoding, slots, layer.low, layer.levels)


def spikes_of_neurons(name: str, layer: Neurons, window: int) -> Spikes:
    """What a layer of neurons gives, to which spikes come in a window of so many slots."""
    encoding, slots = layer.encoding, layer.levels
    if encoding == "graded":
        encoding, slots = VALUES, 1
    elif encoding == "sar":
        slots = layer.levels.bit_length()
    elif encoding == "stbif":
        # After the last input a count has `levels` steps to go at most, the first of them in that same slot.
        slots = window + layer.levels - 1
    return Spikes(name, layer.channels, encoding, slots, layer.base, layer.levels)


def window_of(name: str, sources: Sequence[Spikes], neurons: Neurons | None) -> Window:
    """The window of a layer that takes what the sources give; neurons : None for a readout.

    Raises InputError naming the layer if sources would need different ways to be taken in, or neurons others.
    """
    encoding = "" if neurons is None else neurons.encoding
    wanted = {source.encoding for source in sources if source.slots > 1}
    rules = {{"sar": DOUBLED, "ttfs": FLOWING}.get(each, SUMMED) for each in wanted} or {SUMMED}
    if len(rules) > 1 or (encoding == "stbif" and rules != {SUMMED}):
        raise InputError(
            f"layer {name}",
            f"takes spikes of {', '.join(sorted(wanted))}"
            + (" as stbif neurons" if encoding == "stbif" else " together")
            + ", which no unrolled neuron does",
            "Use one encoding (--encoding), or --architecture folded",
        )
    slots = max(source.slots for source in sources)
    if encoding == "graded" and slots > 1:
        raise InputError(
            f"layer {name}",
            "has graded neurons behind spikes of many slots, which have no unrolled form",
            "Use one encoding (--encoding), or --architecture folded",
        )
    return Window(rules.pop(), slots)
