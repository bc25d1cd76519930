"""What each neuron, and each channel of the input, gives in each slot: by its gates, for every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.bit_rows import numbers_of, rows_of
from ..folded.evaluation import Evaluation, taken_by
from ..folded.induction import next_values
from ..folded.netlist import Bits, Netlist
from ..spikes.neurons import WrongNeuron
from ..spikes.unit import Int64
from .linear_forms import ONE, LinearForms

__all__ = ["MOST_VALUES", "fired", "source_spikes", "traced"]

MOST_VALUES = 2**22
"""Values of a unit, with all that its registers may hold, that are all looked at."""


def _rows(netlist: Netlist, count: int, given: Mapping[Any, Any]) -> Evaluation:
    """Rows in which words (by name, or as bits) are integers."""
    found: dict[int, int] = {}
    for name, values in given.items():
        bits = netlist.word(name) if isinstance(name, str) else name
        column = np.broadcast_to(np.asarray(values, np.int64), (count,))
        found |= dict(zip(bits, rows_of(column, len(bits)), strict=True))
    return Evaluation(netlist, count, {bit: row for bit, row in found.items() if bit > 1})


def _registers(netlist: Netlist, bits: Bits, known: set[int]) -> list[Bits]:
    """The registers that some bits are made from, but those that are known."""
    found: list[Bits] = []
    waiting, seen = list(bits), set(known)
    while waiting:
        bit = waiting.pop()
        if bit in seen or bit < 2 or bit not in netlist.driver:
            continue
        seen.add(bit)
        cell, port, place = netlist.driver[bit]
        if cell.kind == "$dff":
            found.append(cell.ports["Q"])
            seen |= set(cell.ports["Q"])
            waiting += next_values(netlist, cell.ports["Q"])
        else:
            waiting += taken_by(cell, port, place)
    return found


def fired(netlist: Netlist, potentials: Int64, slots: int) -> Int64:
    """The spikes of a neuron in each slot, for potentials as its register holds them: int64 [slots, potentials].

    The registers that say what it gave before may hold anything at first. Raises CheckFailed where its spikes hang on
    that, or where it gives a spike while it does not run.
    """
    potential, spike = netlist.word("charge.potential"), next_values(netlist, netlist.word("spike"))
    _rests(netlist, spike)
    own = _registers(netlist, spike, {*potential, *netlist.word("spike")})
    states = 1 << sum(len(bits) for bits in own)
    count = len(potentials) * states
    if count * slots > MOST_VALUES:
        raise CheckFailed("potentials", f"and what a neuron keeps are {count * slots} together, {MOST_VALUES} at most")
    chosen = np.repeat(np.arange(states), len(potentials))
    kept: dict[Any, Int64] = {}
    for bits in own:
        kept[bits] = chosen & ((1 << len(bits)) - 1)
        chosen = chosen >> len(bits)
    given = np.zeros((slots, len(potentials)), np.int64)
    for slot in range(slots):
        fixed = {potential: np.tile(potentials, states), "slot": slot, "running": 1, "rst": 0}
        now = _rows(netlist, count, {**fixed, **kept})
        spikes = numbers_of(now.rows(spike), count).reshape(states, -1)
        if (spikes != spikes[0]).any():
            raise CheckFailed("a neuron's spikes", "hang on what it gave before its window")
        given[slot] = spikes[0]
        kept = {bits: numbers_of(now.rows(next_values(netlist, bits)), count) for bits in own}
    return given


def _rests(netlist: Netlist, spike: Bits) -> None:
    """While it does not run, and in a reset, the next spike is none, whatever else is."""
    fires = netlist.word("fires")
    if _rows(netlist, 2, {fires: np.arange(2), "running": 0, "rst": 0}).rows(spike) != [0]:
        raise CheckFailed("a neuron", "gives a spike outside of its window")
    if _rows(netlist, 1, {"rst": 1}).rows(spike) != [0]:
        raise CheckFailed("a neuron", "gives a spike in a reset")


def traced(netlist: Netlist, shift: int, levels: int, ends: tuple[int, int], thresholds: Int64) -> Int64:
    """The levels of a `stbif` neuron for each z in `ends`, if it comes to them: int64 [values].

    Its potential is z + shift in the end. From every potential and count that its registers hold, a clock moves the
    count by one toward the number of thresholds that z reaches, or leaves it there; for others it moves by one at most,
    and its spike says how. So what its spikes add up to is its count, and that is the level `levels` clocks behind the
    last current. Raises WrongNeuron (of neuron 0) or CheckFailed.
    """
    potential, count = netlist.word("potential"), netlist.word("count")
    first = netlist.word("first")[0]
    following = {0: {"potential": 1, "current": 1}, 1: {"current": 1}}
    starts = []
    for mark, form in following.items():
        leaves = {"potential": potential, "current": netlist.word("current")}
        found = LinearForms(netlist, leaves, {first: mark}).of(next_values(netlist, potential))
        starts.append(found.pop(ONE, 0))
        if found != form:
            raise CheckFailed("potential", "does not take in one current with each clock")
    if starts[0]:
        raise CheckFailed("potential", "takes in more than its currents")
    size = 1 << len(potential)
    if size * (levels + 1) > MOST_VALUES:
        raise CheckFailed("potentials", f"with their counts are {size * (levels + 1)}, {MOST_VALUES} at most")
    held, counts = np.tile(np.arange(size), levels + 1), np.repeat(np.arange(levels + 1), size)
    now = _rows(netlist, len(held), {"potential": held, "count": counts, "first": 0, "running": 1, "rst": 0})
    after = numbers_of(now.rows(next_values(netlist, count)), len(held))
    spike = numbers_of(now.rows(next_values(netlist, netlist.word("spike"))), len(held))
    moved = after - counts
    if (np.abs(moved) > 1).any() or (after > levels).any() or (spike != (moved & 3)).any():
        raise CheckFailed("a neuron's spikes", "are not what its count goes by")
    fresh = _rows(netlist, 1, {"first": 1})
    if any(fresh.rows(next_values(netlist, count))):
        raise CheckFailed("a neuron's count", "does not begin anew")
    for still in ({"running": 0, "rst": 0}, {"rst": 1}):
        if any(_rows(netlist, 1, still).rows(next_values(netlist, netlist.word("spike")))):
            raise CheckFailed("a neuron", "gives a spike outside of its window")
    low, high = ends
    z = np.arange(low, high + 1)
    level = np.searchsorted(thresholds, z, "right")
    by_count = moved.reshape(levels + 1, size)[:, (z + shift) % size]
    wrong = by_count != np.sign(level[None, :] - np.arange(levels + 1)[:, None])
    if high - low >= size or wrong.any():
        row = int(np.flatnonzero(wrong.any(axis=0))[0]) if wrong.any() else 0
        raise WrongNeuron(0, int(z[row]), f"its count does not go toward {int(level[row])}")
    return np.asarray(level, np.int64)


def source_spikes(netlist: Netlist, size: int, slots: int, low: int, high: int) -> Int64:
    """Spikes of the input in each slot, for integers low … high, the same for each channel: int64 [slots, integers].

    Raises CheckFailed where they hang on what was before, or channels differ.
    """
    data, spikes = netlist.ports["in_data"], netlist.word("spikes")
    width = len(data) // size
    x = np.arange(low, high + 1)
    if low < -(1 << width) or high - low >= 1 << width or len(spikes) != size:
        raise CheckFailed("in_data", "has no place for all integers")
    taken = _rows(
        netlist, len(x), {data[k * width : (k + 1) * width]: x & ((1 << width) - 1) for k in range(size)} | {"take": 1}
    )
    words = [netlist.word(f"channel[{k}].count") for k in range(size)]
    counts = [numbers_of(taken.rows(next_values(netlist, word)), len(x)) for word in words]
    following = next_values(netlist, spikes)
    for still in ({"running": 0, "rst": 0}, {"rst": 1}):
        free = {(netlist.word(f"channel[{k}].spike")[0],): np.arange(2) for k in range(size)}
        if any(_rows(netlist, 2, {**free, **still}).rows(following)):
            raise CheckFailed("the input's unit", "gives spikes outside of its window")
    given = np.zeros((slots, len(x)), np.int64)
    for slot in range(slots):
        fixed: dict[Any, Any] = dict(zip(words, counts, strict=True))
        fixed |= {"slot": slot, "running": 1, "rst": 0}
        rows = _rows(netlist, len(x), fixed).rows(following)  # a frame may be taken meanwhile: nothing hangs on that
        if any(row != rows[0] for row in rows):
            raise CheckFailed("the input's unit", "gives different spikes of the same integers")
        given[slot] = numbers_of(rows[:1], len(x))
        now = _rows(netlist, len(x), {**fixed, "take": 0})
        counts = [numbers_of(now.rows(next_values(netlist, word)), len(x)) for word in words]
    return given
