"""HARD_SWISH, in the 16-bit arithmetic of TensorFlow Lite's kernel, which all runtimes have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network.layers.lookup import Lookup
from edgeml.network.rounding import quantize_multiplier

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["HardSwish"]

Int64 = npt.NDArray[np.int64]

_HIGH, _LOW = 2**15 - 1, -(2**15)


def _high_product(a: Int64, b: Int64 | int) -> Int64:
    """round(a · b / 2^15), ties up, saturated."""
    product = a * b
    nudged = product + np.where(product >= 0, 2**14, 1 - 2**14)
    return np.asarray(np.minimum(np.sign(nudged) * (np.abs(nudged) >> 15), _HIGH))


def _shifted_left(x: Int64, by: int) -> Int64:
    return np.asarray(np.clip(x << by, _LOW, _HIGH))


def _divided(x: Int64, by: int) -> Int64:
    """x / 2^by to the nearest integer, ties away from zero."""
    half = (1 << by) >> 1
    return np.asarray(np.sign(x) * ((np.abs(x) + half) >> by))


def _short(factor: np.float32) -> tuple[int, int]:
    """(multiplier below 2^15, shift) of a factor: multiplier · 2^(shift − 15)."""
    (multiplier,), (shift,) = quantize_multiplier(float(factor))
    return min((int(multiplier) + 2**15) >> 16, _HIGH), int(shift)


@dataclass(frozen=True)
class HardSwish(TfliteOperator):
    """x · relu6(x + 3) / 6."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.HARD_SWISH,)

    @classmethod
    def read(cls, found: Found) -> HardSwish:
        return cls(found.target.name, found.inputs)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.HARD_SWISH, 1, sources, target)

    def table(self, source: TensorInfo, target: TensorInfo) -> npt.NDArray[np.int32]:
        """The output for each input integer.

        With x in steps of a 128th of the input's, x · m in the output's steps times relu6(x + 3)/6, which 16 bits hold
        as a share of 1: (x in steps of 3/2^15, saturated, + 2^15) / 2. Every product is rounded to 16 bits, but the
        last, which is truncated, and then shifted.
        """
        fine = np.float32(1 / 128) * np.float32(source.scale)
        multiplier, shift = _short(fine / np.float32(target.scale))
        steep, steeper = _short(fine / np.float32(3 / 32768))
        if shift > 0:
            raise InputError(f"layer {self.output}", "its output's scale is too small for its input's")
        x = (np.arange(source.low, source.high + 1, dtype=np.int64) - source.zero_point) << 7
        value = _high_product(x, multiplier)
        share = _shifted_left(x, steeper - 1) if steeper > 0 else x
        share = _high_product(share, steep)
        share = _shifted_left(share, 1) if steeper > 0 else _divided(share, -steeper)
        share = (share + 2**15) >> 1
        product = share * value
        found = _divided(np.sign(product) * (np.abs(product) >> 15), -shift) + target.zero_point
        return np.clip(found, target.low, target.high).astype(np.int32)

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        lowering.add(self.output, Lookup(self.table(source, target), source.low), self.inputs)
