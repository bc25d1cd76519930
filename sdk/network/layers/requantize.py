"""The int8 form's activation: an accumulator times a scale, rounded by a rule with a name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..rounding import FRACTION_BITS, LARGEST_SHIFT, ROUNDINGS, SMALLEST_SHIFT, rescale
from ..value_range import IntArray, ValueRange
from .threshold import Threshold

__all__ = ["Requantize"]


@dataclass(frozen=True, eq=False)
class Requantize(Layer):
    """y[c] = clip(round(acc[c] · (multiplier[c] + fraction[c] · 2^−22) · 2^(shift[c] − 31)) + zero_point, low, high).

    `rounding` names the rule of `round`, one of `network.rounding.ROUNDINGS`; the other fields mean the same for all
    of them, and all are integers: the float32 factor of `fp32_rne` has 24 significant bits and so is a multiplier and
    a shift without loss, the float64 factor of `float64_away` has 53 and needs the fraction too.

    Parameters
    ----------
    multiplier : int32 [channels] or [1]: 2^30 … 2^31 − 1, or 0 for a factor too small to matter. With `fp32_rne` a
        multiple of 2^7; with `shift` always 2^30, so that the factor is 2^−k with k = 1 − shift.
    shift : int32, as many: −31 … 8; with `shift` −30 … 1.
    rounding : the rule.
    zero_point : integer added after rounding.
    fraction : int32, as many: 0 … 2^22 − 1, all 0 unless `rounding` is `float64_away`; None stands for zeros.
    low, high : what the output is clipped to; a fused ReLU is low = max(−128, zero_point).
    """

    kind: ClassVar[str] = "requantize"
    monotone: ClassVar[bool] = True
    channelwise: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int32]
    rounding: str
    zero_point: int = 0
    low: int = -128
    high: int = 127
    fraction: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            raise NetworkError("requantize, rounding", f"{self.rounding!r} is not one of {', '.join(ROUNDINGS)}")
        multiplier = integer_array("requantize, multiplier", self.multiplier, 1, 0)
        shift = integer_array("requantize, shift", self.shift, 1, SMALLEST_SHIFT, LARGEST_SHIFT)
        if multiplier.size != shift.size:
            raise NetworkError("requantize, shift", f"must have {multiplier.size} values, found {shift.size}")
        if np.any((multiplier != 0) & (multiplier < 2**30)):
            raise NetworkError("requantize, multiplier", f"must be 0 or at least 2^30, found {multiplier.min()}")
        if self.rounding == "fp32_rne" and np.any(multiplier & 0x7F):
            raise NetworkError("requantize, multiplier", "a float32 factor has 24 bits: the lowest 7 must be zero")
        if self.rounding == "shift" and (np.any(multiplier != 2**30) or shift.max() > 1 or shift.min() < -30):
            raise NetworkError("requantize, multiplier", "`shift` takes the factors 2^0 … 2^−31 only: multiplier 2^30")
        fraction = np.zeros_like(multiplier) if self.fraction is None else self.fraction
        fraction = integer_array("requantize, fraction", fraction, 1, 0, 2**FRACTION_BITS - 1)
        if fraction.size != multiplier.size or (self.rounding != "float64_away" and np.any(fraction)):
            raise NetworkError(
                "requantize, fraction", "must be as many as multipliers, 0 unless rounding is float64_away"
            )
        low = integer_scalar("requantize, low", self.low, -(2**15), 2**15 - 1)
        high = integer_scalar("requantize, high", self.high, low, 2**15 - 1)
        zero_point = integer_scalar("requantize, zero point", self.zero_point, -(2**15), 2**15 - 1)
        for name, value in (("multiplier", multiplier), ("shift", shift), ("fraction", fraction)):
            object.__setattr__(self, name, value)
        for name, number in (("low", low), ("high", high), ("zero_point", zero_point)):
            object.__setattr__(self, name, number)

    @property
    def per_channel(self) -> bool:
        """Whether channels have factors of their own."""
        return self.multiplier.size > 1

    @property
    def rounding_rule(self) -> str:
        return self.rounding

    def output_size(self, *input_sizes: int) -> int:
        (size,) = input_sizes
        if self.multiplier.size not in (1, size):
            raise NetworkError("requantize", f"takes {self.multiplier.size} channels, found {size}")
        return size

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """Every rule is monotone in the accumulator, so the ends of the range give the ends.

        NetworkError if acc · 2^shift may pass 32 bits: the integer rules begin with that product, and the runtimes
        overflow there without a word.
        """
        (x,) = inputs
        if self.rounding in ("double_rounding", "ruy_half_up"):
            largest = np.maximum(np.abs(x.low), np.abs(x.high)) << np.maximum(self.shift.astype(np.int64), 0)
            if int(largest.max()) > INT32_HIGH:
                raise NetworkError(
                    "requantize",
                    f"accumulator · 2^shift may reach {largest.max()}, past 32 bits",
                    "Raise the output scale",
                )
        return ValueRange(self._values(x.low), self._values(x.high))

    def _values(self, acc: IntArray) -> npt.NDArray[np.int64]:
        wide = acc.astype(np.int64)
        assert self.fraction is not None
        multiplier, shift, fraction = (part.astype(np.int64) for part in (self.multiplier, self.shift, self.fraction))
        rounded = rescale(wide, multiplier, shift, self.rounding, fraction)
        return np.clip(rounded + self.zero_point, self.low, self.high)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (acc,) = inputs
        return self._values(acc).astype(np.int32)

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Requantize:
        if not self.per_channel:
            return self
        assert self.fraction is not None
        multiplier, shift, fraction = self.multiplier[outputs], self.shift[outputs], self.fraction[outputs]
        return replace(self, multiplier=multiplier, shift=shift, fraction=fraction)

    def as_threshold(self, acc: ValueRange) -> Threshold:
        """The same integers as comparisons, for hardware that has those: y = base + #{k : acc ≥ T[k]}.

        Every rule is monotone, so T[c, k] is the smallest accumulator of channel c whose output is base + k + 1; found
        by bisection of the range `acc`. Where no accumulator in it gets that far, T is the one above its highest.
        """
        outputs = self.output_range(acc)
        base, highest = outputs.bounds
        if highest - base > 255:
            raise NetworkError("requantize", f"has {highest - base + 1} outputs; comparisons serve at most 256")
        wanted = np.arange(base + 1, max(highest, base + 1) + 1)[:, None]
        # Outputs at `below` are less than wanted, at `at` not; one step outside of the range stands for "never".
        below = np.broadcast_to(acc.low - 1, (len(wanted), acc.channels)).copy()
        at = np.broadcast_to(acc.high + 1, below.shape).copy()
        while np.any(at - below > 1):
            middle = (below + at) // 2
            reached = self._values(np.clip(middle, acc.low, acc.high)) >= wanted
            reached = (reached | (middle > acc.high)) & (middle >= acc.low)
            at, below = np.where(reached, middle, at), np.where(reached, below, middle)
        thresholds: Any = at.T
        return Threshold(thresholds, base)

    def over_positions(self, gather: npt.NDArray[np.int32], inputs: int, padding: int) -> Requantize:
        if not self.per_channel:
            return self
        multiplier, shift = (np.tile(values, len(gather)) for values in (self.multiplier, self.shift))
        fraction = None if self.fraction is None else np.tile(self.fraction, len(gather))
        return replace(self, multiplier=multiplier, shift=shift, fraction=fraction)

    def of_one_position(self, positions: int, reached: ValueRange) -> Requantize | None:
        if not self.per_channel:
            return self
        fields = [self.multiplier, self.shift, *([] if self.fraction is None else [self.fraction])]
        rows = np.stack(fields).reshape(len(fields), positions, -1)
        if not np.array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape)):
            return None
        fraction = None if self.fraction is None else rows[2, 0]
        return replace(self, multiplier=rows[0, 0], shift=rows[1, 0], fraction=fraction)

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return (direction,)

    def summary(self) -> str:
        factors = "per channel" if self.per_channel else "per tensor"
        return f"{self.rounding}, {factors}, zero point {self.zero_point}, outputs {self.low} … {self.high}"
