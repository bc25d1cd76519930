"""As many spikes as the integer says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..schedule import Schedule
from .encoding import Encoding, thermometer

__all__ = ["Unary"]

Int64 = npt.NDArray[np.int64]


class Unary(Encoding):
    """Integrate the whole window with firing masked, then in each of L slots: fire if v ≥ increment, v −= increment.

    A value a makes a spikes. Masking is what makes it exact: no neuron fires before it knows its whole input.
    """

    name = "unary"

    def slots(self, levels: int) -> int:
        return levels

    def weight(self, slot: int, levels: int) -> int:
        return 1

    def encode(self, count: Int64, levels: int) -> Int64:
        return thermometer(count, levels)

    def fire(self, potential: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        v = potential.copy()
        channels = np.arange(schedule.channels)
        given = np.zeros_like(v)
        spikes, membranes = [], []
        for _ in range(schedule.levels):
            increment = schedule.increments[channels, np.minimum(given, schedule.levels - 1)]
            fired = (v >= increment).astype(np.int64)
            v = v - fired * increment
            given = given + fired
            spikes.append(fired)
            membranes.append(v)
        return np.stack(spikes), np.stack(membranes)
