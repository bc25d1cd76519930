"""What a channel's thresholds count, beside the exact level that the trained model gives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.network import Layer

from ..model import Quantizer
from ..proof import Reference
from ..thresholds import thresholds
from .model_sums import Between

__all__ = ["Counted", "ExactLevels"]

Int64 = npt.NDArray[np.int64]


class ExactLevels:
    """The levels of a clamped line in rational numbers, as a function of accumulators low … high."""

    def __init__(self, line: ClampedLine, quantizer: Quantizer, low: int, high: int) -> None:
        self.falls = line.slope < 0
        ends = (-high, -low) if self.falls else (low, high)
        rising = line.mirrored() if self.falls else line
        self.row = thresholds([rising], quantizer, np.array([ends[0]]), np.array([ends[1]]))[0]
        self.base = quantizer.low

    def __call__(self, z: Int64) -> Int64:
        found: Int64 = self.base + np.searchsorted(self.row, -z if self.falls else z, side="right")
        return found

    @property
    def crossings(self) -> list[int]:
        """Accumulators at which the level is another than just before."""
        return [1 - each for each in self.row.tolist()] if self.falls else [int(each) for each in self.row]


class Counted:
    """A channel of a layer that counts thresholds, and what of it the trained model says.

    Parameters
    ----------
    line : the model's real value over the accumulator. between, sign : the same in float64; the accumulator is sign
        times the model's. reach : the accumulator's range.
    """

    def __init__(
        self,
        layer: Layer,
        line: ClampedLine,
        quantizer: Quantizer,
        between: Between,
        sign: int,
        channel: int,
        reach: tuple[int, int],
    ) -> None:
        self.layer, self.line, self.quantizer, self.reach = layer, line, quantizer, reach
        self.between, self.sign, self.channel = between, sign, channel
        fields = vars(layer)
        self.base, self.row = int(fields["base"]), fields["thresholds"][channel].astype(np.int64)

    def own(self, z: Int64) -> Int64:
        """The network's levels of accumulators."""
        return self.base + np.searchsorted(self.row, z, side="right")

    def golden(self, accumulator: int) -> int:
        """The level that the golden simulator gives."""
        channels = len(vars(self.layer)["thresholds"])
        return int(self.layer.evaluate(np.full((1, channels), accumulator, np.int32))[0, self.channel])

    def in_float64(self, accumulator: int) -> int:
        """The level that the model gives in float64 for sign · accumulator."""
        signs = np.full(len(self.between.scale), self.sign)
        reference = Reference(self.between.scale, self.between.bias, signs, self.between.chain, self.quantizer)
        return int(reference.levels(np.array([accumulator]), self.channel)[0])

    def wrong(self) -> tuple[int, int] | None:
        """(accumulator, level of the trained model) where the two differ; None if nowhere in range."""
        low, high = self.reach
        exact = ExactLevels(self.line, self.quantizer, low, high)
        jumps = np.array([*self.row.tolist(), *exact.crossings])
        points = np.unique(np.clip(np.concatenate([[low, high], jumps, jumps - 1]), low, high))
        differ = np.flatnonzero(self.own(points) != exact(points))
        return (int(points[differ[0]]), int(exact(points[differ[:1]])[0])) if differ.size else None

    def said(self, what: str, level: int, own: int, model: int) -> str:
        """A difference in words: `own` and `model` are the accumulators of both sides, `level` the model's."""
        golden, computed = self.golden(own), self.in_float64(model)
        confirmed = "confirmed" if golden != computed == level else "not confirmed"
        return (
            f"{what} gives level {golden}, which is {level} in the trained model ({confirmed}: the golden simulator "
            f"gives {golden}, the float64 model {computed})"
        )
