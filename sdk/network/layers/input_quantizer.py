"""The only place where a floating-point number enters an integer network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError, NetworkError
from ..arrays import integer_scalar, real_array
from ..layer import Layer
from ..value_range import IntArray, ValueRange

__all__ = ["InputQuantizer"]


@dataclass(frozen=True, eq=False)
class InputQuantizer(Layer):
    """q = clip(round_half_even((x − offset) / scale) + zero_point, low, high), per feature.

    Parameters
    ----------
    size : number of features.
    scale : float64 [size] or [1], positive: the step of one integer, in units of x.
    offset : float64 [size] or [1]: subtracted first; an input normalisation (x − mean) / std becomes
        offset = mean, scale = std · step, so that features of any unit use the whole range of integers.
    zero_point : the integer that stands for x = offset.
    bits : 1 to 8.
    signed : low, high = −2^(bits−1), 2^(bits−1) − 1 if signed, else 0, 2^bits − 1.
    """

    kind: ClassVar[str] = "input_quantizer"
    input_count: ClassVar[int] = 0

    size: int
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    zero_point: int
    bits: int
    signed: bool

    def __post_init__(self) -> None:
        size = integer_scalar("input quantizer, size", self.size, 1, 2**24)
        bits = integer_scalar("input quantizer, bits", self.bits, 1, 8)
        if not isinstance(self.signed, bool):
            raise NetworkError("input quantizer, signed", f"must be true or false, found {self.signed!r}")
        zero_point = integer_scalar("input quantizer, zero point", self.zero_point, self.low, self.high)
        scale = real_array("input quantizer, scale", self.scale, positive=True)
        offset = real_array("input quantizer, offset", self.offset)
        for name, array in (("scale", scale), ("offset", offset)):
            if array.size not in (1, size):
                raise NetworkError(f"input quantizer, {name}", f"must have 1 or {size} values, found {array.size}")
        for name, value in (("size", size), ("bits", bits), ("zero_point", zero_point)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "offset", offset)

    @property
    def low(self) -> int:
        """Smallest integer that the quantizer gives."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest integer that the quantizer gives."""
        return (1 << (self.bits - 1 if self.signed else self.bits)) - 1

    def quantize(self, x: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Real x [samples, size] → integers of the same shape; InputError if x is not finite."""
        try:
            x = np.asarray(x, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError("input", f"must be numbers ({error})") from error
        if x.ndim != 2 or x.shape[1] != self.size:
            raise InputError("input", f"must have shape [samples, {self.size}], found {list(x.shape)}")
        if not np.all(np.isfinite(x)):
            row, column = np.argwhere(~np.isfinite(x))[0]
            raise InputError("input", f"sample {row}, feature {column} is {x[row, column]}", "Remove or fill it")
        with np.errstate(over="ignore"):  # what is past the largest float is past the highest integer too
            levels = np.rint((x - self.offset) / self.scale) + self.zero_point
        clipped: npt.NDArray[np.int32] = np.clip(levels, self.low, self.high).astype(np.int32)
        return clipped

    def dequantize(self, q: IntArray) -> npt.NDArray[np.float64]:
        """The real values that integers stand for: (q − zero_point) · scale + offset."""
        centred = q.astype(np.float64) - self.zero_point
        return centred * self.scale + self.offset

    @property
    def value_bits(self) -> int:
        return self.bits

    def output_size(self, *input_sizes: int) -> int:
        return self.size

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        return ValueRange.uniform(self.low, self.high, self.size)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        raise NetworkError("input quantizer", "takes real numbers: call quantize(); the simulators start behind it")

    def summary(self) -> str:
        return f"{'signed' if self.signed else 'unsigned'} {self.bits} bit, zero point {self.zero_point}"
