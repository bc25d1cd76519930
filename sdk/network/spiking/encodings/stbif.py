"""Signed spikes without phases: a neuron corrects itself until its count is right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..schedule import Schedule
from .encoding import Encoding, thermometer

__all__ = ["Stbif"]

Int64 = npt.NDArray[np.int64]


class Stbif(Encoding):
    """Bipolar integrate-and-fire with a spike tracer S, 0 ≤ S ≤ L.

    v += w·s for each incoming spike s = ±1; then +1 if v ≥ increment[S+1] and S < L (v −= increment[S+1],
    S += 1), or −1 if v < 0 and S > 0 (v += increment[S], S −= 1). v + Σ increment[1..S] = z + charge always holds, and
    only one S is at rest for a given z: so the sum of the spikes is the quantized integer, in whatever order the events
    came.
    """

    name = "stbif"
    phased = False

    def slots(self, levels: int) -> int:
        return levels

    def weight(self, slot: int, levels: int) -> int:
        return 1

    def encode(self, count: Int64, levels: int) -> Int64:
        return thermometer(count, levels)

    def fire(self, potential: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        """From rest at one given potential: the same as `react` to currents that come all at once."""
        return self.react(np.zeros((1, *potential.shape), np.int64), potential, schedule)

    def react(self, currents: Int64, start: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        """Spikes and membranes [slots + settling, samples, channels], at most one spike per neuron and slot.

        currents : int64 [slots, samples, channels], what arrives in each slot.
        start : int64 [samples, channels], bias and charge.
        """
        v = start.copy()
        channels = np.arange(schedule.channels)
        tracer = np.zeros_like(v)
        spikes, membranes = [], []
        slot = 0
        while True:
            if slot < len(currents):
                v = v + currents[slot]
            next_increment = schedule.increments[channels, np.minimum(tracer, schedule.levels - 1)]
            last_increment = schedule.increments[channels, np.maximum(tracer - 1, 0)]
            up = (tracer < schedule.levels) & (v >= next_increment)
            down = ~up & (tracer > 0) & (v < 0)
            if slot >= len(currents) and not (up.any() or down.any()):
                break
            fired = up.astype(np.int64) - down
            v = v - up * next_increment + down * last_increment
            tracer = tracer + fired
            spikes.append(fired)
            membranes.append(v)
            slot += 1
        return np.stack(spikes), np.stack(membranes)
