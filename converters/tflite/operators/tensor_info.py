"""An activation tensor of a .tflite file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeml.errors import InputError

__all__ = ["TensorInfo"]


@dataclass(frozen=True)
class TensorInfo:
    """An activation tensor [samples, size] of 8-bit integers q, which stand for (q − zero_point) · scale.

    Parameters
    ----------
    scale : a float32 value, positive and finite.
    signed : int8 if true, else uint8.
    """

    name: str
    size: int
    scale: float
    zero_point: int
    signed: bool = True

    def __post_init__(self) -> None:
        where = f"tensor {self.name}"
        if not (np.isfinite(self.scale) and self.scale > 0 and float(np.float32(self.scale)) == self.scale):
            raise InputError(where, f"scale must be a positive float32 number, found {self.scale}")
        if not self.low <= self.zero_point <= self.high:
            raise InputError(where, f"zero point must lie in {self.low} … {self.high}, found {self.zero_point}")

    @property
    def low(self) -> int:
        """Smallest value of the element type."""
        return -128 if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value of the element type."""
        return 127 if self.signed else 255
