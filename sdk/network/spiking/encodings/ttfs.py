"""Time to first spike: the larger the integer, the earlier its only spike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..schedule import Schedule
from .encoding import Encoding

__all__ = ["Ttfs"]

Int64 = npt.NDArray[np.int64]


class Ttfs(Encoding):
    """One spike at slot L − a, none for a = 0.

    In: a spike adds W to a current i, and v += i in this and every later slot of the window: L − slot = a times.
    Out: a ramp climbs by one increment per slot, from the last of the schedule to its first, and a neuron fires
    once, in the slot when v + ramp reaches Σ of all increments (equal ones: v += θ each slot, fire at v ≥ (L + 1)·θ
    with the ramp's first rise included).
    """

    name = "ttfs"

    def slots(self, levels: int) -> int:
        return levels

    def weight(self, slot: int, levels: int) -> int:
        return levels - slot

    def encode(self, count: Int64, levels: int) -> Int64:
        slots = np.arange(levels, dtype=np.int64)[:, None, None]
        return np.where(levels - count == slots, np.int64(1), np.int64(0))

    def integrate(self, currents: Int64, levels: int) -> Int64:
        potential: Int64 = np.cumsum(np.cumsum(currents, axis=0), axis=0)
        return potential

    def fire(self, potential: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        v = potential.copy()
        ceiling = schedule.increments.sum(axis=1)
        silent = np.ones(v.shape, np.bool_)
        spikes, membranes = [], []
        for slot in range(schedule.levels):
            if slot:
                v = v + schedule.increments[:, schedule.levels - slot]
            fired = silent & (v >= ceiling)
            silent &= ~fired
            spikes.append(fired.astype(np.int64))
            membranes.append(v)
        return np.stack(spikes), np.stack(membranes)
