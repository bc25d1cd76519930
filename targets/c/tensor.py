"""How the integers of a node lie in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import ValueRange

__all__ = ["ITEM_BYTES", "Tensor"]

ITEM_BYTES = {"uint8_t": 1, "int16_t": 2, "int32_t": 4}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A vector of integers in the arena: value = stored + low.

    Parameters
    ----------
    name : of the node that gives it.
    size : number of channels.
    ctype : `uint8_t`, `int16_t` or `int32_t`.
    low : the value that 0 stands for; 0 unless ctype is `uint8_t`.
    stored_low, stored_high : int64 [size], range of the stored integers per channel.
    padded : elements that are allocated; those behind `size` hold 0 in a `uint8_t` tensor when a stage has run, so
        that kernels may read whole vectors.
    """

    name: str
    size: int
    ctype: str
    low: int
    stored_low: npt.NDArray[np.int64]
    stored_high: npt.NDArray[np.int64]
    padded: int

    @classmethod
    def make(cls, name: str, values: ValueRange, padding: int, *, ctype: str = "", low: int | None = None) -> Tensor:
        """The tensor for values of a given range: the narrowest type, unless `ctype` (and `low`) name one."""
        smallest, largest = values.bounds
        if not ctype:
            if largest - smallest <= 255:
                ctype = "uint8_t"
            else:
                ctype = "int16_t" if smallest >= -(2**15) and largest < 2**15 else "int32_t"
        if ctype != "uint8_t":
            low = 0
        elif low is None:
            low = smallest
        size = values.channels
        return cls(name, size, ctype, low, values.low - low, values.high - low, -(-size // padding) * padding)

    @property
    def ends(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The smallest and the largest value of each channel, int64 [size] each."""
        return self.stored_low + self.low, self.stored_high + self.low

    @property
    def item_bytes(self) -> int:
        """Bytes of one element."""
        return ITEM_BYTES[self.ctype]

    @property
    def bytes(self) -> int:
        """Bytes of the whole vector, padding included."""
        return self.padded * self.item_bytes

    @property
    def largest(self) -> int:
        """Largest stored integer of any channel."""
        return int(self.stored_high.max())
