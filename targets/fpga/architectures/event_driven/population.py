"""What gives events in an event-driven design: the input, or a layer of neurons, as its encoding carries integers."""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons

__all__ = ["Population", "population_of_input", "population_of_neurons", "slots_of"]


@dataclass(frozen=True, eq=False)
class Population:
    """A population by the events that it gives in a frame.

    Parameters
    ----------
    name : of its node. channels : how many. encoding : of its spikes. silence : the integer that no event stands for.
    amounts : smallest and largest amount of one event. totals : smallest and largest sum of a channel's amounts.
    """

    name: str
    channels: int
    encoding: str
    silence: int
    amounts: tuple[int, int]
    totals: tuple[int, int]


def slots_of(encoding: str, levels: int) -> int:
    """Slots in which a unit looks at its neurons, or at its values, when they fire."""
    return levels.bit_length() if encoding == "sar" else levels


def population_of_input(name: str, layer: InputSpikes) -> Population:
    """The input: `direct` gives the integers as they are, every other encoding what lies above the smallest."""
    if layer.encoding == "direct":
        bounds = (min(layer.low, 0), max(layer.high, 0))
        return Population(name, layer.size, layer.encoding, 0, bounds, bounds)
    amounts = _amounts(layer.encoding, layer.levels)
    return Population(name, layer.size, layer.encoding, layer.low, amounts, (0, layer.levels))


def population_of_neurons(name: str, layer: Neurons) -> Population:
    """A layer of neurons."""
    amounts = _amounts(layer.encoding, layer.levels)
    return Population(name, layer.channels, layer.encoding, layer.base, amounts, (0, layer.levels))


def _amounts(encoding: str, levels: int) -> tuple[int, int]:
    """Smallest and largest amount of an event of a channel that stands for up to `levels`."""
    highest = {"unary": 1, "stbif": 1, "sar": 1 << levels.bit_length() - 1}.get(encoding, levels)
    return (-1 if encoding == "stbif" else 0), highest
