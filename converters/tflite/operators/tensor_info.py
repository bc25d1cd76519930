"""An activation tensor of a .tflite file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgeml.errors import InputError

__all__ = ["TensorInfo"]


@dataclass(frozen=True)
class TensorInfo:
    """An activation tensor [samples, *shape] of 8-bit integers q, which stand for (q − zero_point) · scale.

    Parameters
    ----------
    scale : a float32 value, positive and finite.
    signed : int8 if true, else uint8.
    shape : of one sample, `size` values in all; () stands for (size,). Of two dimensions, (positions, channels), the
        file's tensor is [samples · positions, channels]: tflite-runtime's reference kernel of FULLY_CONNECTED computes
        the first position alone where a dimension of 1 stands before them.
    """

    name: str
    size: int
    scale: float
    zero_point: int
    signed: bool = True
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        where = f"tensor {self.name}"
        if not (np.isfinite(self.scale) and self.scale > 0 and float(np.float32(self.scale)) == self.scale):
            raise InputError(where, f"scale must be a positive float32 number, found {self.scale}")
        if not self.low <= self.zero_point <= self.high:
            raise InputError(where, f"zero point must lie in {self.low} … {self.high}, found {self.zero_point}")
        if math.prod(self.dimensions) != self.size:
            raise InputError(where, f"shape {list(self.dimensions)} does not hold {self.size} values")

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.shape or (self.size,)

    @property
    def stored(self) -> tuple[int, ...]:
        """The shape in the file, for one sample; the first dimension is as many times larger for several samples."""
        return self.dimensions if len(self.dimensions) == 2 else (1, *self.dimensions)

    @property
    def low(self) -> int:
        """Smallest value of the element type."""
        return -128 if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value of the element type."""
        return 127 if self.signed else 255
