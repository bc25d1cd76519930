"""Clock counts of the event-driven units for given inputs, exactly, by following their events.

What a frame takes depends on its spikes. Each unit is a generator that repeats the state machine of its RTL module: it
yields (clock, event) when it begins to offer an event, and is sent the clock in which that was taken. A unit does
nothing else while it waits, so that pulling from the last one gives the clocks of all.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .plan import EventDrivenLayer, EventDrivenPlan
from .population import slots_of

__all__ = ["SpikingRun", "longest_by_layer", "longest_frame", "run_clocks"]

Int64 = npt.NDArray[np.int64]
Event = tuple[int, int] | None
"""(channel, amount), or None for the end of a frame."""
_NEVER = 2**60
"""When a unit that has no more input offers its next event."""
Unit = Generator[tuple[int, Event], int, None]


@dataclass(frozen=True, eq=False)
class SpikingRun:
    """What the units did with some frames.

    Parameters
    ----------
    outputs : int32 [samples, outputs]. ends : for each frame the clock in which its last result is taken, counted
        from the one in which the first input value is. events : given by each population, input first.
    """

    outputs: npt.NDArray[np.int32]
    ends: tuple[int, ...]
    events: tuple[int, ...]


class _Source:
    """The events that a unit offers, one at a time; `taken` counts those of its own `channels` first ones."""

    def __init__(self, unit: Unit, channels: int) -> None:
        self.unit = unit
        self.channels = channels
        self.clock, self.event = next(unit)
        self.taken = 0

    def accept(self, clock: int) -> None:
        """The event is taken in this clock."""
        self.taken += self.event is not None and self.event[0] < self.channels and clock < _NEVER
        try:
            self.clock, self.event = self.unit.send(clock)
        except StopIteration:
            self.clock, self.event = _NEVER, None


class _Start:
    """When the first input value was taken."""

    clock = -1


def _encoder(plan: EventDrivenPlan, q: Int64, start: _Start) -> Unit:
    source, clock = plan.source, 0
    at_once = source.encoding in ("direct", "graded")
    for frame in q - (0 if source.encoding == "direct" else source.low):
        if not at_once:
            start.clock = max(start.clock, 0)
            clock += source.size
        for slot in range(1 if at_once else slots_of(source.encoding, source.levels)):
            for channel, count in enumerate(frame.tolist()):
                if at_once:
                    amount = count
                elif source.encoding == "ttfs":
                    amount = count if count and source.levels - count == slot else 0
                elif source.encoding == "sar":
                    amount = count & 1 << source.levels.bit_length() - 1 - slot
                else:
                    amount = int(count > slot)
                if amount:
                    clock = yield clock, (channel, amount)
                if start.clock < 0:
                    start.clock = clock
                clock += 1
        clock = (yield clock, None) + 1


def _neurons(layer: EventDrivenLayer, source: _Source) -> Unit:
    assert layer.increments is not None
    clock, words, pe = 0, layer.words, layer.pe
    rows = [np.arange(w * pe, min((w + 1) * pe, layer.neurons)) for w in range(words)]
    while True:
        clock += words
        v, count = layer.start.copy(), np.zeros(layer.neurons, np.int64)

        if layer.encoding == "stbif":
            for row in rows:
                while given := _settle(layer, row, v, count):
                    clock += 1
                    for event in given:
                        clock = (yield clock, event) + 1
                clock += 1
        while True:
            clock, event = max(clock, source.clock), source.event
            if event is None:
                source.accept(clock)
                clock += 1
                break
            channel, amount = event
            relayed = layer.relay[0] <= channel < layer.relay[1]
            passed_on = (channel - layer.relay[0] + layer.neurons, amount)
            if layer.encoding != "stbif":
                v += amount * layer.weight[:, channel]
                clock += words
                if relayed:
                    clock = (yield clock, passed_on) + 1
                source.accept(clock - 1)
                continue
            for row in rows:
                v[row] += amount * layer.weight[row, channel]
                clock += 2
                while given := _settle(layer, row, v, count):
                    clock += 1
                    for spike in given:
                        clock = (yield clock, spike) + 1
                clock += 1
            if relayed:
                clock = (yield clock, passed_on) + 1
            source.accept(clock - 1)
        for slot in range(0 if layer.encoding == "stbif" else slots_of(layer.encoding, layer.levels)):
            for row in rows:
                given = _fire(layer, row, slot, v, count)
                clock += 1
                for spike in given:
                    clock = (yield clock, spike) + 1
        clock = (yield clock, None) + 1


def _settle(layer: EventDrivenLayer, row: Int64, v: Int64, count: Int64) -> list[Event]:
    """One look of the `stbif` neurons `row` at themselves; v and count change."""
    assert layer.increments is not None
    given: list[Event] = []
    for n in row:
        if count[n] < layer.levels and v[n] >= layer.increments[n, count[n]]:
            v[n] -= layer.increments[n, count[n]]
            count[n] += 1
            given.append((int(n), 1))
        elif count[n] > 0 and v[n] < 0:
            count[n] -= 1
            v[n] += layer.increments[n, count[n]]
            given.append((int(n), -1))
    return given


def _fire(layer: EventDrivenLayer, row: Int64, slot: int, v: Int64, count: Int64) -> list[Event]:
    """The spikes of the neurons `row` in a slot of a phased encoding; v and count change."""
    assert layer.increments is not None
    given: list[Event] = []
    last = slot == layer.levels - 1
    for n in row:
        if layer.encoding == "sar":
            place = 1 << layer.levels.bit_length() - 1 - slot
            wanted = int(count[n]) | place
            if wanted <= layer.levels and v[n] >= layer.increments[n, :wanted].sum():
                count[n] = wanted
                given.append((int(n), place))
            continue
        if layer.encoding == "ttfs":
            v[n] += layer.increments[n, layer.levels - slot] if slot else 0
            if not count[n] and v[n] >= layer.increments[n].sum():
                count[n] = layer.levels - slot
                given.append((int(n), int(count[n])))
            continue
        up = count[n] < layer.levels and v[n] >= layer.increments[n, count[n]]
        if up:
            v[n] -= layer.increments[n, count[n]]
            count[n] += 1
        if layer.encoding == "graded" and last and count[n]:
            given.append((int(n), int(count[n])))
        elif layer.encoding == "unary" and up:
            given.append((int(n), 1))
    return given


def run_clocks(plan: EventDrivenPlan, q: npt.NDArray[Any]) -> SpikingRun:
    """Follow the frames q int [samples, inputs] through the units, one after the other, never paused from outside."""
    frames = np.asarray(q).astype(np.int64)
    start = _Start()
    sources = [_Source(_encoder(plan, frames, start), plan.source.size)]
    for layer in plan.layers[:-1]:
        sources.append(_Source(_neurons(layer, sources[-1]), layer.neurons))
    readout, source = plan.layers[-1], sources[-1]
    outputs = np.zeros((len(frames), readout.neurons), np.int32)
    clock, ends = 0, []
    for frame in range(len(frames)):
        clock += readout.words
        v = readout.start.copy()
        while True:
            clock, event = max(clock, source.clock), source.event
            if event is None:
                source.accept(clock)
                clock += 1
                break
            v += event[1] * readout.weight[:, event[0]]
            source.accept(clock + readout.words - 1)
            clock += readout.words
        outputs[frame] = v
        clock += readout.words
        ends.append(clock - 1 - start.clock)
    return SpikingRun(outputs, tuple(ends), tuple(s.taken for s in sources))


def longest_frame(plan: EventDrivenPlan) -> int | None:
    """A bound on the clocks of a frame, whatever its spikes; None for `stbif`, whose neurons may change their minds."""
    by_layer = longest_by_layer(plan)
    return None if by_layer is None else sum(by_layer)


def longest_by_layer(plan: EventDrivenPlan) -> list[int] | None:
    """A bound on each layer's clocks for a frame, with those of the encoder in the first; None for `stbif`."""
    source = plan.source
    if source.encoding == "stbif" or any(layer.encoding == "stbif" for layer in plan.layers):
        return None
    counts = np.full(source.size, _most_events(source.encoding, source.levels))
    clocks: int = source.size + int(counts.sum()) + 1
    if source.encoding in ("unary", "ttfs", "sar"):
        clocks += source.size * slots_of(source.encoding, source.levels)
    found = []
    for layer in plan.layers:
        relayed = counts[layer.relay[0] : layer.relay[1]]
        clocks += layer.words * (int(counts.sum()) + 2) + int(relayed.sum()) + 1
        if layer.increments is not None:
            own = np.full(layer.neurons, _most_events(layer.encoding, layer.levels))
            clocks += layer.words * slots_of(layer.encoding, layer.levels) + int(own.sum()) + 1
            counts = np.concatenate([own, relayed])
        found.append(clocks)
        clocks = 0
    return found


def _most_events(encoding: str, levels: int) -> int:
    """Of one channel in a frame."""
    return slots_of(encoding, levels) if encoding in ("unary", "sar") else 1
