"""What spikes of a window stand for: in which slots a channel spikes, for each value that it may be to give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..spikes.unit import Int64

__all__ = ["Given", "Spikes"]


@dataclass(frozen=True, eq=False)
class Spikes:
    """What one channel gives: for each potential (of an input: integer) in range.

    Parameters
    ----------
    values : int64 [values], the potentials. level : int64 [values], what spikes must stand for.
    slots : int64 [slots, values], what comes in each slot; None where all that is known is that they add up to it.
    """

    values: Int64
    level: Int64
    slots: Int64 | None

    def wrong(self, weights: Sequence[int]) -> int | None:
        """A value whose spikes, with weights by slot, do not add up to its level; None where there is none."""
        if self.slots is None:
            return None if set(weights) == {1} else int(self.values[0])
        found = (np.array(weights, np.int64)[:, None] * self.slots).sum(axis=0)
        rows = np.flatnonzero(found != self.level)
        return int(self.values[rows[0]]) if len(rows) else None


@dataclass(frozen=True, eq=False)
class Given:
    """A population in the core.

    Parameters
    ----------
    name : of its node. base : what silence stands for. slots : of its window. bits, signed : of a channel in a slot.
    begin : clocks from taking a frame to its first slot. silent : whether it gives nothing in other clocks.
    reaches : clocks behind a reset in which something of before may still come.
    channels : what each gives; empty where a channel gives its integer itself, in one slot.
    """

    name: str
    size: int
    base: int
    slots: int
    bits: int
    signed: bool
    begin: int
    silent: bool
    channels: Sequence[Spikes] = ()
    answers: dict[tuple[int, ...], Mapping[int, int]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Clock of its last slot."""
        return self.begin + self.slots - 1

    def wrong(self, weights: tuple[int, ...]) -> Mapping[int, int]:
        """By channel a value for which spikes so weighed do not stand for what they must."""
        if not self.channels:
            return {} if weights == (1,) else dict.fromkeys(range(self.size), 0)
        if weights not in self.answers:
            found = ((k, spikes.wrong(weights)) for k, spikes in enumerate(self.channels))
            self.answers[weights] = {k: value for k, value in found if value is not None}
        return self.answers[weights]
