"""What spikes stand for: the slots of a window give the integer, for every potential and every integer in range.

A neuron starts its window at v = z + charge and pays an increment for each spike (`network.spiking.schedule`). All that
it does by slots are comparisons of z with T[1] … T[L], whatever the encoding: what is left of v after k spikes reaches
the price of the next ones where z + charge reaches what they cost together. So its spikes are the same for all z
between two thresholds. Where the range is small every z is run; else both sides of every threshold, and the ends.

Neurons of `stbif` fire while currents come in. At rest S spikes are standing for which v + Σ increment[1..S] = z +
charge, and that is one S alone (`encodings.stbif`): what is left to show is that from rest at one z, a current that
leads to another z comes to rest at the level of that one. It is run for pairs of levels: all, or each with the next and
with the ends.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from ...network.layers.input_spikes import InputSpikes
from ...network.layers.neurons import Neurons
from ...network.spiking.encodings import Encoding, Stbif, Train, encoding
from ...network.spiking.schedule import Schedule
from ...network.value_range import ValueRange
from ..claim import PROVED, REFUTED
from ..place_claims import PlaceClaims

__all__ = ["carried", "fired", "input_claims", "neuron_claims"]

Int64 = npt.NDArray[np.int64]

_MOST_RUN = 2**24
"""Values times slots of a layer up to which every accumulator is run."""
_MOST_PAIRS = 64
_FIRE = (
    "for every accumulator z in range, the spikes of one window stand for #{k : z >= T[k]}, by increments and charge: "
    "charge = increment[1] - T[1], increment[k] = T[k] - T[k-1]"
)
_CARRY = "for every integer a in 0 … L, its spikes fit a window of so many slots, stand for a, and bring a weight W·a"


def carried(code: Encoding, levels: int) -> str:
    """What is wrong with the spikes of an integer 0 … levels on their way to a neuron with weight 1; "" if nothing."""
    values = np.arange(levels + 1)[None]
    spikes = code.encode(values, levels)
    found = code.decode(Train(spikes, levels))
    brought = code.integrate(spikes, levels)[-1]
    if len(spikes) != code.slots(levels):
        return f"its window has {len(spikes)} slots, not {code.slots(levels)}"
    for said, given in (("stands for", found), ("brings", brought)):
        if (wrong := np.flatnonzero(given[0] != values[0])).size:
            return f"integer {wrong[0]} {said} {given[0, wrong[0]]}"
    outside = (spikes < 0) | (spikes > (levels if code.name == "graded" else 1))
    return f"a spike of {int(spikes[outside][0])}" if outside.any() else ""


def fired(code: Encoding, schedule: Schedule, thresholds: Int64, reach: tuple[Int64, Int64]) -> list[str]:
    """By channel what is wrong with its spikes, for accumulators low … high; "" if nothing.

    schedule : as the neuron has it; thresholds [channels, levels] : what its spikes must count; reach : low and high
    [channels].
    """
    low, high = reach
    points = _points(thresholds, low, high, code.slots(schedule.levels))
    expected = np.stack([np.searchsorted(row, z, side="right") for row, z in zip(thresholds, points.T, strict=True)], 1)
    spikes, _ = code.fire(points + schedule.charge, schedule)
    found = code.decode(Train(spikes, schedule.levels))
    problems = _problems(points, expected, found)
    if code.phased and len(spikes) != code.slots(schedule.levels):
        return [f"its window has {len(spikes)} slots, not {code.slots(schedule.levels)}"] * schedule.channels
    if isinstance(code, Stbif):
        again = _settled(code, schedule, thresholds, low, high)
        problems = [first or second for first, second in zip(problems, again, strict=True)]
    return problems


def _problems(points: Int64, expected: Int64, found: Int64) -> list[str]:
    said = []
    for channel in range(points.shape[1]):
        wrong = np.flatnonzero(found[:, channel] != expected[:, channel])
        at = (wrong[0], channel) if wrong.size else None
        said.append(f"accumulator {points[at]} stands for {found[at]}, not {expected[at]}" if at else "")
    return said


def _points(thresholds: Int64, low: Int64, high: Int64, slots: int) -> Int64:
    """The accumulators to run, [points, channels]; columns end with their last one again."""
    if int((high - low + 1).sum()) * slots <= _MOST_RUN:
        count = int((high - low).max()) + 1
        every: Int64 = np.minimum(low + np.arange(count)[:, None], high)
        return every
    columns = [low[None], high[None], thresholds.T - 1, thresholds.T]
    return np.clip(np.concatenate(columns), low, high)


def _settled(code: Stbif, schedule: Schedule, thresholds: Int64, low: Int64, high: Int64) -> list[str]:
    """By channel what is wrong after a neuron at rest got a further current; "" if nothing."""
    levels = np.concatenate([low[None], np.clip(thresholds.T, low, high), np.clip(thresholds.T - 1, low, high)])
    levels = np.unique(np.concatenate([levels, high[None]]), axis=0)
    count = len(levels)
    if count <= _MOST_PAIRS:
        first, second = (each.ravel() for each in np.meshgrid(np.arange(count), np.arange(count)))
    else:
        each = np.arange(count)
        first = np.concatenate([each, each, each, each])
        second = np.concatenate([np.roll(each, 1), np.roll(each, -1), 0 * each, 0 * each + count - 1])
    start, end = levels[first], levels[second]
    currents = np.zeros((2 * schedule.levels + 2, *start.shape), np.int64)
    currents[schedule.levels + 1] = end - start
    spikes, _ = code.react(currents, start + schedule.charge, schedule)
    found = spikes.sum(axis=0)
    expected = np.stack([np.searchsorted(row, z, side="right") for row, z in zip(thresholds, end.T, strict=True)], 1)
    return _problems(end, expected, found)


def neuron_claims(name: str, layer: Neurons, reach: ValueRange) -> PlaceClaims:
    """The claims of a population, one for each neuron, and one of how its spikes reach others."""
    before = time.process_time()
    thresholds = layer.thresholds.astype(np.int64)
    problems = fired(layer.code, layer.schedule, thresholds, (reach.low, reach.high))
    claims: list[dict[str, Any]] = []
    for channel, problem in enumerate(problems):
        claim: dict[str, Any] = {
            "status": REFUTED if problem else PROVED,
            "range": [int(reach.low[channel]), int(reach.high[channel])],
            "charge": int(layer.schedule.charge[channel]),
            "increments": layer.schedule.increments[channel].tolist(),
        }
        claims.append(claim | ({"counterexample": problem} if problem else {}))
    claims.append(_carry_claim(layer.code, layer.levels))
    every = int((reach.high - reach.low + 1).sum()) * layer.code.slots(layer.levels) <= _MOST_RUN
    how = "all accumulators in range" if every else "both sides of all thresholds"
    method = f"{layer.encoding}, {layer.code.slots(layer.levels)} slots: {how}"
    return PlaceClaims(f"{name}, spikes", f"{_FIRE}; {_CARRY}", method, claims, time.process_time() - before)


def _carry_claim(code: Encoding, levels: int) -> dict[str, Any]:
    problem = carried(code, levels)
    claim: dict[str, Any] = {"status": REFUTED if problem else PROVED, "levels": levels, "slots": code.slots(levels)}
    return claim | ({"counterexample": problem} if problem else {})


def input_claims(name: str, layer: InputSpikes) -> PlaceClaims | None:
    """The claim of an input population; None for inputs that are no spikes."""
    if layer.encoding == "direct":
        return None
    before = time.process_time()
    code = encoding(layer.encoding)
    claims = [_carry_claim(code, layer.levels)]
    method = f"{layer.encoding}, {code.slots(layer.levels)} slots: all {layer.levels + 1} integers"
    return PlaceClaims(f"{name}, spikes", _CARRY, method, claims, time.process_time() - before)
