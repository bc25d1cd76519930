"""The bits of the integer, most significant first: successive approximation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..schedule import Schedule
from .encoding import Encoding

__all__ = ["Sar"]

Int64 = npt.NDArray[np.int64]


class Sar(Encoding):
    """n slots for levels < 2^n, slot k weighs 2^(n−1−k).

    In: v += (W·s) << (n−1−k). Out: with θ << (n−1−k) for equal increments, or Σ of the next 2^(n−1−k)
    increments of the schedule: fire if v reaches it, and pay it. A value a makes popcount(a) spikes. A sum that would
    pass the last level is never reached.
    """

    name = "sar"

    def slots(self, levels: int) -> int:
        return int(levels).bit_length()

    def weight(self, slot: int, levels: int) -> int:
        return 1 << (self.slots(levels) - 1 - slot)

    def encode(self, count: Int64, levels: int) -> Int64:
        shifts = np.arange(self.slots(levels) - 1, -1, -1, dtype=np.int64)
        return (count >> shifts[:, None, None]) & 1

    def integrate(self, currents: Int64, levels: int) -> Int64:
        shifts = np.arange(self.slots(levels) - 1, -1, -1, dtype=np.int64)
        return np.cumsum(currents << shifts[:, None, None], axis=0)

    def fire(self, potential: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        v = potential.copy()
        paid = schedule.paid
        channels = np.arange(schedule.channels)
        given = np.zeros_like(v)
        spikes, membranes = [], []
        for slot in range(self.slots(schedule.levels)):
            reach = given + self.weight(slot, schedule.levels)
            allowed = reach <= schedule.levels
            price = paid[channels, np.minimum(reach, schedule.levels)] - paid[channels, given]
            fired = (allowed & (v >= price)).astype(np.int64)
            v = v - fired * price
            given = given + fired * self.weight(slot, schedule.levels)
            spikes.append(fired)
            membranes.append(v)
        return np.stack(spikes), np.stack(membranes)
