"""Integers between a quantizer and what makes real numbers of them again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import NotAnMlp, Signal

from ..qonnx.staircases import ROUNDINGS, Reach, Rounding

__all__ = ["QuantizedSignal", "RoundedThenShifted"]


class RoundedThenShifted(Rounding):
    """`QuantizeLinear`: real = scale · (clip(round(x / scale) + zero, low, high) − zero). QONNX's `Quant` adds the zero
    before it rounds, which takes ties to other levels where the zero is odd."""

    def reaches(self, channel: int, low: int, high: int) -> list[Reach]:
        rows = [ROUNDINGS[self.mode](level - self.zero) for level in range(self.low + 1, self.high + 1)]
        return [(point * self.scale, inclusive) for point, inclusive in rows]


@dataclass(frozen=True)
class QuantizedSignal:
    """q = clip(round_half_even(x / scale) + zero, low, high) of a signal x; q stands for (q − zero) · scale.

    The node of the model stands where the integers become real numbers for the first time; it is made once.
    """

    x: Signal
    scale: Fraction
    zero: int
    low: int
    high: int
    made: dict[str, Signal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise NotAnMlp("a quantizer with a single level")

    def clipped(self, low: int | None, high: int | None) -> QuantizedSignal:
        """The integers clipped once more, as fewer bits in a wider type are written."""
        low = self.low if low is None else max(low, self.low)
        high = self.high if high is None else min(high, self.high)
        return QuantizedSignal(self.x, self.scale, self.zero, low, high)

    def of_shape(self, x: Signal) -> QuantizedSignal:
        """The same integers of the signal in another shape."""
        return replace(self, x=x)

    def real(self, builder: MlpBuilder) -> Signal:
        """The real numbers that the integers stand for."""
        stairs = RoundedThenShifted(self.scale, self.zero, self.low, self.high, "ROUND")
        order = "" if self.x.order is None else hash(self.x.order.tobytes())
        key = f"{self.low} {self.high} {order}"
        if self.x.final:  # probabilities change no decision, and neither does rounding them
            return self.x
        if key not in self.made:
            self.made[key] = builder.each_value(stairs, self.x, "quantizer")
        return replace(self.made[key], shape=self.x.shape, batch_axis=self.x.batch_axis)
