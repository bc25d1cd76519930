"""What each neuron of a unit tells behind a frame, for all potentials: by its gates, with its own increments.

A potential is v = z + shift, z the integer whose thresholds the neuron counts. The gates of its lane are looked at for
every z in range, slot after slot, from what the slot before left; what it told must add up to the number of thresholds
that z reaches. stbif: for every z that may come at any time and every count that it may have, a look moves the count by
one toward that number, or rests where it is that number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.bit_rows import numbers_of
from .unit import Int64, Unit, signed

__all__ = ["MOST_VALUES", "Potentials", "WrongNeuron", "prove_lane"]

MOST_VALUES = 2**22
"""Potentials of a lane that are all looked at."""


class WrongNeuron(CheckFailed):
    """A neuron tells something else. neuron : which. value : its z."""

    def __init__(self, neuron: int, value: int, problem: str) -> None:
        super().__init__(f"z = {value}", problem)
        self.neuron, self.value = neuron, value


@dataclass(frozen=True, eq=False)
class Potentials:
    """What the membranes of a unit may hold.

    Parameters
    ----------
    low, high : int64 [neurons], z when a frame ends (stbif: at any time). shift : int64 [neurons], v − z.
    thresholds : int64 [neurons, levels], each row ascending.
    """

    low: Int64
    high: Int64
    shift: Int64
    thresholds: Int64


class _Rows:
    """All potentials of the neurons of one lane, word behind word."""

    def __init__(self, unit: Unit, lane: int, potentials: Potentials) -> None:
        neurons = list(range(lane, len(potentials.low), unit.lanes))
        spans = [(int(potentials.low[n]), int(potentials.high[n])) for n in neurons]
        if sum(high - low + 1 for low, high in spans) * (unit.levels + 1) > MOST_VALUES:
            raise CheckFailed("potentials", f"are more than {MOST_VALUES} in a lane")
        z = [np.arange(low, high + 1) for low, high in spans]
        self.z = np.concatenate([*z, np.zeros(0, np.int64)]).astype(np.int64)
        self.neuron = np.repeat(np.array(neurons, np.int64), [len(each) for each in z])
        self.level = np.concatenate(
            [np.searchsorted(potentials.thresholds[n], each, "right") for n, each in zip(neurons, z, strict=True)]
            or [np.zeros(0, np.int64)]
        )
        self.v = self.z + potentials.shift[self.neuron]
        # Places behind the last neuron start at −1, and nothing is added to them.
        behind = [word for word in range(unit.words) if word * unit.lanes + lane >= len(potentials.low)]
        self.word = np.concatenate([self.neuron // unit.lanes, np.array(behind, np.int64)])
        none = np.zeros(len(behind), np.int64)
        self.z, self.level = np.concatenate([self.z, none - 1]), np.concatenate([self.level, none])
        self.v, self.neuron = np.concatenate([self.v, none - 1]), np.concatenate([self.neuron, none - 1])

    def fail(self, wrong: np.ndarray, problem: str) -> None:
        """Raise for the first row that is wrong."""
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise WrongNeuron(int(self.neuron[row]), int(self.z[row]), problem)


def prove_lane(unit: Unit, lane: int, potentials: Potentials) -> int:
    """That each neuron of a lane tells its level; how many potentials were looked at. WrongNeuron or CheckFailed."""
    rows = _Rows(unit, lane, potentials)
    bits = unit.number("MEMBRANE_BITS")
    rows.fail((rows.v < -(1 << bits - 1)) | (rows.v >= 1 << bits - 1), f"has no place in {bits} bits of a membrane")
    if unit.encoding == "stbif":
        return _settles(unit, lane, rows)
    v, count, total = rows.v & ((1 << bits) - 1), np.zeros_like(rows.v), np.zeros_like(rows.v)
    for slot in range(unit.slots):
        v, count, told, _ = _look(unit, lane, rows.word, slot, v, count)
        if unit.encoding == "sar":
            amount = np.full_like(v, 1 << (unit.slots - 1 - slot))
        elif unit.encoding in ("ttfs", "graded"):
            amount = count
        else:
            amount = np.ones_like(v)
        total += told * amount
        rows.fail((told == 1) & ((count > unit.levels) | (count < 0)), "counts more spikes than it has levels")
    wrong = total != rows.level
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        rows.fail(wrong, f"must give {int(rows.level[row])}, and gives {int(total[row])}")
    return len(rows.z)


def _look(unit: Unit, lane: int, word: Int64, slot: int, v: Int64, count: Int64) -> tuple[Int64, Int64, Int64, Int64]:
    """What the gates make of membranes and counts in a slot: (membrane, count, told, down)."""
    bits, counted, netlist = unit.number("MEMBRANE_BITS"), unit.count_bits, unit.netlist
    own = netlist.word("membranes")[lane * bits : (lane + 1) * bits]
    given: dict[Any, Int64] = {own: v, netlist.word("count_word")[lane * counted : (lane + 1) * counted]: count}
    now = unit.rows(len(v), {**given, "word": word, "slot": np.full_like(v, slot)})
    made = [
        netlist.word("fired_membranes")[lane * bits : (lane + 1) * bits],
        netlist.word("fired_counts")[lane * counted : (lane + 1) * counted],
        (netlist.word("told")[lane],),
        (netlist.word("down")[lane],),
    ]
    after, spikes, told, down = (numbers_of(now.rows(each), len(v)) for each in made)
    return after, spikes, told, down


def _settles(unit: Unit, lane: int, rows: _Rows) -> int:
    """stbif: from every potential and count a look moves the count by one toward the level, and v with it, or rests."""
    bits, levels = unit.number("MEMBRANE_BITS"), unit.levels
    paid = _paid(unit, lane)  # [words, levels + 1]
    count = np.tile(np.arange(levels + 1), (len(rows.z), 1)).T.reshape(-1)
    z, word, level = (np.tile(each, levels + 1) for each in (rows.z, rows.word, rows.level))
    neuron, base = np.tile(rows.neuron, levels + 1), np.tile(rows.v, levels + 1)
    there = (neuron >= 0) | (count == 0)
    z, word, level, neuron, base, count = (each[there] for each in (z, word, level, neuron, base, count))
    v = base - paid[word, count]

    def fail(wrong: np.ndarray, problem: str) -> None:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise WrongNeuron(int(neuron[row]), int(z[row]), f"with {int(count[row])} spikes {problem}")

    fail((v < -(1 << bits - 1)) | (v >= 1 << bits - 1), f"has no place in {bits} bits of a membrane")
    after, spikes, told, down = _look(unit, lane, word, 0, v & ((1 << bits) - 1), count)
    fail((told == 0) & (count != level), "rests, and must not")
    fail((spikes - count) != np.sign(level - count), "does not move by one toward its level")
    fail((told == 1) != (spikes != count), "does not tell how it moves")
    fail((down == 1) != (spikes < count), "tells that it goes the other way")
    fail(signed(after, bits) != base - paid[word, np.clip(spikes, 0, levels)], "pays something else for a spike")
    return len(z)


def _paid(unit: Unit, lane: int) -> Int64:
    """What the first 0, 1 … spikes cost together, by word, as the memory of steps says: int64 [words, levels + 1]."""
    bits, memory = unit.number("MEMBRANE_BITS"), unit.memory("steps")
    stored = 1 if unit.number("EQUAL") else unit.levels
    if memory.writes or memory.words != unit.words * stored or any(word is None for word in memory.content):
        raise CheckFailed("steps", "are not there, or change")
    words = [(word or 0) >> (lane * bits) & ((1 << bits) - 1) for word in memory.content]
    steps = signed(np.array(words, np.int64), bits).reshape(unit.words, stored)
    steps = np.repeat(steps, unit.levels, axis=1) if stored == 1 else steps
    return np.concatenate([np.zeros((unit.words, 1), np.int64), np.cumsum(steps, axis=1)], axis=1)
