"""One event that carries the integer as its payload."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..schedule import Schedule
from .encoding import Encoding

__all__ = ["Graded"]

Int64 = npt.NDArray[np.int64]


class Graded(Encoding):
    """One slot; a value a > 0 makes one spike with payload a, v += W·payload. Zero stays silent."""

    name = "graded"

    def slots(self, levels: int) -> int:
        return 1

    def weight(self, slot: int, levels: int) -> int:
        return 1

    def encode(self, count: Int64, levels: int) -> Int64:
        return count[None].astype(np.int64)

    def fire(self, potential: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        payload = schedule.level(potential)
        paid = schedule.paid
        rest = potential - paid[np.arange(schedule.channels), payload]
        return payload[None], rest[None]
