"""Integrate-and-fire neurons of the exact spiking form: their spikes are the quantized integers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..layer import Channels, Direction, Layer
from ..spiking.encodings import Encoding, encoding
from ..spiking.schedule import Schedule
from ..value_range import IntArray, ValueRange
from .threshold import Threshold

__all__ = ["Neurons"]


@dataclass(frozen=True, eq=False)
class Neurons(Layer):
    """y[c] = base + #{k : acc[c] ≥ thresholds[c, k]}, given as spikes in an `encoding`.

    The integers are those of `Threshold`, by definition; how spikes carry them is the matter of the encoding
    (spiking/encodings), and the simulator that runs those spikes (spiking/time_stepped) gives the same integers. `base`
    is what silence stands for: receivers hold it in their bias.

    Parameters
    ----------
    thresholds : int32 [channels, levels], each row ascending; at most 255 levels.
    encoding : unary, sar, ttfs, graded or stbif.
    base : the output below all thresholds.
    """

    kind: ClassVar[str] = "neurons"
    monotone: ClassVar[bool] = True
    channelwise: ClassVar[bool] = True
    population: ClassVar[bool] = True

    thresholds: npt.NDArray[np.int32]
    encoding: str
    base: int = 0

    def __post_init__(self) -> None:
        counter = Threshold(self.thresholds, self.base)
        object.__setattr__(self, "thresholds", counter.thresholds)
        object.__setattr__(self, "base", counter.base)
        encoding(self.encoding)

    @cached_property
    def _counter(self) -> Threshold:
        return Threshold(self.thresholds, self.base)

    @cached_property
    def schedule(self) -> Schedule:
        """The thresholds as an initial charge, and an increment for each spike."""
        return Schedule(self.thresholds)

    @property
    def code(self) -> Encoding:
        """The encoding itself."""
        return encoding(self.encoding)

    @property
    def channels(self) -> int:
        """Number of neurons."""
        return self._counter.channels

    @property
    def levels(self) -> int:
        """Largest number that the spikes of one neuron can stand for."""
        return self._counter.levels

    @property
    def crossings(self) -> npt.NDArray[np.int32]:
        return self.thresholds

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.channels,):
            raise NetworkError("neurons", f"takes {self.channels} channels, found {list(input_sizes)}")
        return self.channels

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        return self._counter.output_range(*inputs)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        return self._counter.evaluate(*inputs)

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Neurons:
        return replace(self, thresholds=self.thresholds[outputs])

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (direction,)

    def summary(self) -> str:
        kind = "one threshold" if bool(self.schedule.uniform.all()) else "scheduled thresholds"
        return f"{self.channels} neurons, {self.encoding}, {self.code.slots(self.levels)} slots, {kind}"
