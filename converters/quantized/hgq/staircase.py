"""A quantizer of activations whose bits differ from channel to channel, in units of each channel's own step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from ..qonnx.staircases import Reach, Staircase

__all__ = ["ROUNDINGS", "ChannelSteps"]

ROUNDINGS: Mapping[str, Callable[[int], Reach]] = {
    "RND": lambda level: (Fraction(2 * level - 1, 2), True),
    "RND_CONV": lambda level: (Fraction(2 * level - 1, 2), level % 2 == 0),
    "TRN": lambda level: (Fraction(level), True),
}
"""Where a number reaches a level, and whether at that point itself: HGQ2's ties go up, to even, or there are none."""
_NEVER = Fraction(2**60)
_WRAPS = (
    "Train with overflow_mode='SAT' for activations: QuantizerConfigScope(place='datalane', overflow_mode='SAT'); or "
    "give the channel as many integer bits as its sums need"
)


@dataclass(frozen=True, eq=False)
class ChannelSteps(Staircase):
    """level = clip(round(x), low[c], high[c]); real numbers are of step 1.

    Parameters
    ----------
    low, high : int64 [channels].
    rounding : of `ROUNDINGS`.
    wraps : what lies outside would wrap around: it is refused unless no sum gets there.
    where : the quantizer's place, for errors.
    """

    kind: ClassVar[str] = ""

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    rounding: str
    wraps: bool
    where: str

    @property
    def slope(self) -> Fraction:
        return Fraction(1)

    @property
    def offset(self) -> Fraction:
        return Fraction(0)

    def levels_met(self, ends: Iterable[Fraction]) -> tuple[int, int]:
        """Bounds of the levels of all channels; `ends` are the least and largest number of each channel in turn.

        Raises InputError naming the channel that would wrap around.
        """
        pairs = list(ends)
        found = []
        for channel, end in enumerate(pairs):
            at, level = channel // 2, self._level(end)
            low, high = int(self.low[at]), int(self.high[at])
            if self.wraps and not low <= level <= high:
                raise InputError(
                    self.where,
                    f"its channel {at} wraps around where a sum reaches the integer {level}: its bits hold {low} … "
                    f"{high}, and weights and inputs allow it",
                    _WRAPS,
                )
            found.append(min(max(level, low), high))
        return min(found), max(found)

    def _level(self, x: Fraction) -> int:
        if self.rounding == "RND_CONV":
            return round(x)
        return math.floor(x + Fraction(1, 2) if self.rounding == "RND" else x)

    def base(self, low: int) -> int:
        return low

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        least, most = int(self.low[channel]), int(self.high[channel])
        rows = []
        for level in range(low + 1, high + 1):
            inside = ROUNDINGS[self.rounding](level)
            rows.append((-_NEVER, True) if level <= least else (_NEVER, True) if level > most else inside)
        return rows
