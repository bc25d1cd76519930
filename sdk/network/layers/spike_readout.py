"""What is read from the last layer of a classic spiking network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, INT32_LOW, integer_scalar
from ..layer import Direction, Layer
from ..spiking.size_over_time import check_extent
from ..value_range import IntArray, ValueRange

__all__ = ["SpikeReadout"]

_READOUTS = ("sum", "last", "maximum")


@dataclass(frozen=True, eq=False)
class SpikeReadout(Layer):
    """What is read from a tensor over time, per channel: its sum (spike counts), its last step or its maximum.

    Parameters
    ----------
    steps : time steps.
    channels : channels per step.
    reading : sum, last or maximum.
    """

    kind: ClassVar[str] = "spike_readout"

    steps: int
    channels: int
    reading: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", integer_scalar("spike readout, steps", self.steps, 1, 2**20))
        object.__setattr__(self, "channels", integer_scalar("spike readout, channels", self.channels, 1, 2**24))
        check_extent("spike readout", self.steps, self.channels)
        if self.reading not in _READOUTS:
            raise NetworkError("spike readout", f"{self.reading!r} is not one of {', '.join(_READOUTS)}")

    @property
    def time_steps(self) -> int:
        return self.steps

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.steps * self.channels,):
            raise NetworkError(
                "spike readout", f"takes {self.steps} steps of {self.channels} channels, found {list(input_sizes)}"
            )
        return self.channels

    def _read(self, over_time: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """[..., steps, channels] → [..., channels]."""
        if self.reading == "sum":
            return np.asarray(over_time.sum(axis=-2))
        return np.asarray(over_time.max(axis=-2)) if self.reading == "maximum" else over_time[..., -1, :]

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        ends = [self._read(end.reshape(self.steps, self.channels)) for end in (inputs[0].low, inputs[0].high)]
        if int(ends[0].min()) < INT32_LOW or int(ends[1].max()) > INT32_HIGH:
            raise NetworkError(
                "spike readout",
                f"its {self.reading} may reach {ends[0].min()} … {ends[1].max()}, past 32 bits",
                "Read the last step, or use fewer fraction bits",
            )
        return ValueRange(ends[0], ends[1])

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        return self._read(x.astype(np.int64).reshape(len(x), self.steps, self.channels)).astype(np.int32)

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (np.tile(direction, self.steps),)

    def summary(self) -> str:
        return f"{self.reading} over {self.steps} steps"
