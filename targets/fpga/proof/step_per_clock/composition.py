"""What a core gives each unit, clock by clock: windows, marks, and the current of each slot.

All is counted from the clock that takes a frame. Frames are `interval` clocks apart; no window is longer, so that what
belongs to one frame never comes in the window of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeml.errors import CheckFailed

from ...architectures.spiking_networks import Stage
from ..folded.netlist import Bits, Cell
from ..spikes.unit import Int64
from .core import Core, Origin
from .windows import Given

__all__ = ["Coming", "Window", "coming", "current_shift", "extended", "synapses_of", "window_of"]


@dataclass(frozen=True)
class Coming:
    """A population as it comes to an adder graph: `end`: clock of its last slot there. marked : gated to that clock."""

    population: Given
    end: int
    marked: bool


@dataclass(frozen=True)
class Window:
    """The slots that come to a layer: how many, and the clock in which the last has passed the adder graph."""

    slots: int
    last: int

    @property
    def first(self) -> int:
        """Clock in which the current of the first slot comes."""
        return self.last - self.slots + 1


def coming(
    core: Core, cell: Cell, bits: int, given: Sequence[Given], places: Mapping[str, tuple[str, int]]
) -> list[Coming]:
    """The populations at an adder graph's input of so many bits a channel, all channels of each in their order.

    given : in the order in which they must come. places : of each instance whose bits it takes, the population and
    first bit in it. Raises CheckFailed.
    """
    data = cell.ports["in_data"]
    if len(data) != bits * sum(each.size for each in given):
        raise CheckFailed(f"instance {cell.name}", "takes another number of channels")
    found, at = [], 0
    for each in given:
        origins = []
        for channel in range(each.size):
            word = data[at : at + bits]
            at += bits
            fill = word[each.bits - 1] if each.signed else 0
            if any(bit != fill for bit in word[each.bits :]) or len(word) < each.bits:
                raise CheckFailed(f"instance {cell.name}", f"takes {each.name}[{channel}] cut off, or filled wrongly")
            origins += [core.origin(bit) for bit in word[: each.bits]]
        found.append(_population(cell, each, origins, places))
    return found


def _population(cell: Cell, given: Given, origins: Sequence[Origin], places: Mapping[str, tuple[str, int]]) -> Coming:
    for index, origin in enumerate(origins):
        name, first = places.get(origin.cell, ("", 0))
        if (name, first + origin.place) != (given.name, index):
            raise CheckFailed(
                f"instance {cell.name}", f"takes something else in the place of bit {index} of {given.name}"
            )
    ways = {(origin.delay, origin.marked) for origin in origins}
    if len(ways) > 1:
        raise CheckFailed(f"instance {cell.name}", f"takes channels of {given.name} from different clocks")
    ((delay, marked),) = ways
    end = given.end + delay
    if marked is not None and (marked != end or given.slots != 1):
        raise CheckFailed(f"instance {cell.name}", f"takes {given.name} in another clock than that of its value")
    return Coming(given, end, marked is not None)


def window_of(core: Core, cell: Cell, sources: Sequence[Coming], late: int, tracing: bool) -> Window:
    """The window behind an adder graph of `late` clocks. tracing : nothing may come after it. Raises CheckFailed."""
    ends = {each.end for each in sources}
    if len(ends) > 1:
        raise CheckFailed(f"instance {cell.name}", f"takes windows that end in clocks {sorted(ends)}")
    (end,) = ends
    slots = max(each.population.slots for each in sources)
    if slots > core.interval:
        raise CheckFailed(f"instance {cell.name}", f"takes {slots} slots; frames are {core.interval} clocks apart")
    for each in sources:
        population = each.population
        if population.slots == slots and not tracing:
            continue
        if not (population.silent or each.marked):
            raise CheckFailed(f"instance {cell.name}", f"takes {population.name} in clocks in which it is not silent")
        # What was under way before a reset is at this place for as long as it is delayed.
        lasting = 0 if each.marked else end - population.end
        if population.slots < slots and slots > end + 1 - lasting + core.rested:
            raise CheckFailed(
                f"instance {cell.name}", f"may take spikes of {population.name} that are from before a reset"
            )
    return Window(slots, end + late)


def synapses_of(stage: Stage, given: Sequence[Given]) -> tuple[Int64, Int64]:
    """(weights [neurons, channels] of populations in this order, what reaches the neurons if all are silent)."""
    neurons = len(stage.wiring.constant)
    constant, weights = stage.wiring.constant.astype(np.int64), []
    if {source.population for source in stage.wiring.sources} != {each.name for each in given}:
        raise CheckFailed(f"layer {stage.name}", "takes other populations than in the network")
    for each in given:
        own = np.zeros((neurons, each.size), np.int64)
        for source in stage.wiring.sources:
            if source.population == each.name:
                own += np.eye(neurons, dtype=np.int64) if source.weight is None else source.weight
        weights.append(own)
        constant = constant + each.base * own.sum(axis=1)
    return np.concatenate(weights, axis=1), constant


def extended(current: Bits, have: Bits, signed: bool) -> bool:
    """Whether a port's bits are those of a current, modulo 2^(its bits)."""
    taken = min(len(current), len(have))
    fill = have[-1] if signed else 0
    return current[:taken] == have[:taken] and all(bit == fill for bit in current[taken:])


def current_shift(start: int, weights: Sequence[int], added: int, constant: int) -> int:
    """potential − z of a neuron, modulo 2^(its bits): z has the constant, currents have what was added in each slot."""
    return start + sum(weights) * added - constant
