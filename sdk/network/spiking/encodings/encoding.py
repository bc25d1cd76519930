"""What an encoding is: how integers become spikes, how a neuron takes them in, and how it gives its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..schedule import Schedule

__all__ = ["Encoding", "Train", "thermometer"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Train:
    """Spikes of one population over the slots of its window.

    Parameters
    ----------
    spikes : int64 [slots, samples, channels]: 0 or 1; −1, 0 or 1 for `stbif`; a payload for `graded`.
    levels : largest number that a value of this train can be (0 … levels); fixes the length of its window.
    base : the integer that silence stands for.
    """

    spikes: Int64
    levels: int
    base: int = 0


def thermometer(count: Int64, levels: int) -> Int64:
    """[levels, samples, channels]: 1 in the first `count` slots."""
    filled: Int64 = (count > np.arange(levels, dtype=np.int64)[:, None, None]).astype(np.int64)
    return filled


class Encoding(ABC):
    """An encoding by name. `slots` and `weight` say what a spike stands for: value = base + Σ spike · weight[slot]."""

    name: ClassVar[str]
    phased: ClassVar[bool] = True
    """Whether a layer first takes in its whole window and then fires; else it fires as spikes come in."""

    @abstractmethod
    def slots(self, levels: int) -> int:
        """Slots in the window of a value in 0 … levels."""

    @abstractmethod
    def weight(self, slot: int, levels: int) -> int:
        """What a spike in `slot` counts for."""

    @abstractmethod
    def encode(self, count: Int64, levels: int) -> Int64:
        """Spikes [slots, samples, channels] of integers 0 … levels [samples, channels]: the input population."""

    def integrate(self, currents: Int64, levels: int) -> Int64:
        """The potential [slots, samples, neurons] that currents W·s [slots, samples, neurons] build up, slot by slot.

        The plain neuron adds each current as it comes; encodings whose spikes weigh differently say how here.
        """
        return np.cumsum(currents, axis=0)

    @abstractmethod
    def fire(self, potential: Int64, schedule: Schedule) -> tuple[Int64, Int64]:
        """Spikes and membranes [slots, samples, channels] of neurons that start from a potential (charge included)."""

    def decode(self, train: Train) -> Int64:
        """The integers [samples, channels] that a train stands for."""
        value = np.full(train.spikes.shape[1:], train.base, np.int64)
        for slot, spikes in enumerate(train.spikes):
            value += spikes * self.weight(slot, train.levels)
        return value
