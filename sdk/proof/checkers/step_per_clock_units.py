"""What units of a step per clock do, by formulas of this file's own, and what spikes of a population stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .statements import need

__all__ = ["Population", "charge", "fired", "input_fired", "thresholds_of", "traces"]

_Int64 = npt.NDArray[np.int64]
_MOST_VALUES = 2**24


@dataclass
class Population:
    """What gives spikes: `slots` of them from clock `begin` on, in other clocks none if it is `silent`.

    spikes : of each channel (level [values], spike by slot [slots, values] or None if they only add up to the level);
    empty where a channel is its integer itself.
    """

    size: int
    base: int
    slots: int
    bits: int
    signed: bool
    begin: int
    silent: bool
    spikes: list[tuple[_Int64, _Int64 | None]]

    @property
    def end(self) -> int:
        """Clock of the last slot."""
        return self.begin + self.slots - 1

    def stands(self, channel: int, weights: list[int]) -> bool:
        """Whether a channel's spikes, so weighed, add up to its level for every value."""
        if not self.spikes:
            return weights == [1]
        level, slots = self.spikes[channel]
        if slots is None:
            return set(weights) == {1}
        return bool((np.array(weights, np.int64) @ slots == level).all())


def charge(given: dict[str, int], window: str) -> tuple[list[int], int]:
    """(what a current of each slot weighs in a potential, clocks from the last slot on) of `edgeml_slot_potential`."""
    slots, rule = given[window], given["RULE"]
    need(slots > 0 and rule in (0, 1, 2), "potential", "is of a rule that is not known")
    weights = [1 if rule == 0 else 1 << slots - 1 - k if rule == 1 else slots - k for k in range(slots)]
    return weights, 2 if rule == 2 and slots > 1 else 1


def thresholds_of(given: dict[str, int], entries: int) -> list[int]:
    """The entries of THRESHOLDS."""
    bits = given["BITS"]
    need(0 < bits <= 60 and 0 < entries <= 2**16, "thresholds", "are too many")
    return [given["THRESHOLDS"] >> k * bits & ((1 << bits) - 1) for k in range(entries)]


def fired(given: dict[str, int], potential: _Int64) -> _Int64:
    """The spikes of `edgeml_slot_neuron` in each slot, for each potential [values]: int64 [slots, values]."""
    slots, kind = given["SLOTS"], given["ENCODING"]
    need(0 < slots <= 1 << given["SLOT_BITS"] and kind in (0, 1, 2), "neuron", "is of an encoding that is not known")
    need(len(potential) * slots <= _MOST_VALUES and (kind != 2 or slots <= 16), "neuron", "has too many potentials")
    entries = thresholds_of(given, given["ENTRIES"])
    table = np.array([*entries, *[0] * max(slots, (1 << slots) if kind == 2 else 0)], np.int64)
    made, before = [], np.zeros_like(potential)
    for slot in range(slots):
        if kind == 2:
            wanted = before | 1 << slots - 1 - slot
            spike = (potential >= table[wanted - 1]).astype(np.int64)
            before = np.where(spike == 1, wanted, before)
        else:
            reached = (potential >= table[slot]).astype(np.int64)
            spike = reached * (1 - before) if kind == 1 else reached
            before = reached
        made.append(spike)
    return np.array(made, np.int64)


def traces(given: dict[str, int], potential: _Int64, level: _Int64) -> bool:
    """Whether `edgeml_tracer_neuron` moves its count by one toward a level from any count, and rests there."""
    levels = given["LEVELS"]
    need(len(potential) * (levels + 1) <= _MOST_VALUES, "neuron", "has too many potentials")
    entries = np.array(thresholds_of(given, levels), np.int64)
    right = True
    for count in range(levels + 1):
        up = (potential >= entries[count]) if count < levels else np.zeros(len(level), bool)
        down = (potential < entries[count - 1]) if count else np.zeros(len(level), bool)
        moves = np.where(up, 1, np.where(down, -1, 0))
        right &= bool((moves == np.sign(level - count)).all())
    return right


def input_fired(given: dict[str, int], x: _Int64) -> _Int64:
    """The spikes of `edgeml_slot_source` in each slot, for integers x: int64 [slots, values]."""
    levels, kind = given["LEVELS"], given["ENCODING"]
    bits = levels.bit_length()
    slots = bits if kind == 2 else levels
    need(0 < slots <= 1 << given["SLOT_BITS"] and kind in (0, 1, 2), "input", "is of an encoding that is not known")
    count = (x - given["LOW"]) & ((1 << bits) - 1)
    places: Any = np.arange(slots)[:, None]
    if kind == 2:
        return np.asarray(count >> (bits - 1 - places) & 1, np.int64)
    return np.asarray(count > places if kind == 0 else count == levels - places, np.int64)
