"""Tensors as raw numbers with a shape, a stride and an offset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["RawTensor"]

_MOST_REPEATED = 2**16
"""Elements of a tensor that stores fewer: a stride of 0 repeats numbers."""


@dataclass(frozen=True, eq=False)
class RawTensor:
    """A tensor as it lies in a file; nothing is checked or copied before `array` is called.

    Parameters
    ----------
    name : what it is called in errors.
    content : the storage's bytes, little-endian.
    number_type : "float32", "bfloat16", …
    sizes, strides, offset : in elements, as torch has them.
    """

    name: str
    content: bytes
    number_type: str
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @classmethod
    def contiguous(cls, name: str, content: bytes, number_type: str, sizes: Sequence[int]) -> RawTensor:
        """A row-major tensor that is all of its storage."""
        strides = tuple(math.prod(sizes[axis + 1 :]) for axis in range(len(sizes)))
        return cls(name, content, number_type, tuple(sizes), strides)

    def array(self) -> npt.NDArray[np.generic]:
        """A contiguous copy, real numbers as float64 exactly; InputError where it does not lie in its storage."""
        stored = np.dtype("uint16" if self.number_type == "bfloat16" else self.number_type).newbyteorder("<")
        if len(self.content) % stored.itemsize:
            raise InputError(self.name, f"{len(self.content)} bytes hold no whole number of {self.number_type}")
        numbers = np.frombuffer(self.content, dtype=stored)
        if len(self.sizes) != len(self.strides) or len(self.sizes) > 16 or self.offset < 0:
            raise InputError(self.name, f"shape {self.sizes} with strides {self.strides} and offset {self.offset}")
        if any(size < 0 or stride < 0 for size, stride in zip(self.sizes, self.strides, strict=True)):
            raise InputError(self.name, f"shape {self.sizes} with strides {self.strides}")
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.sizes, self.strides, strict=True))
        if math.prod(self.sizes) == 0:
            raise InputError(self.name, f"is empty: shape {list(self.sizes)}")
        if math.prod(self.sizes) > max(numbers.size, _MOST_REPEATED):
            raise InputError(self.name, f"shape {list(self.sizes)} repeats {numbers.size} stored numbers beyond reason")
        if last >= numbers.size:
            raise InputError(self.name, f"shape {list(self.sizes)} needs {last + 1} numbers, found {numbers.size}")
        strides = tuple(stride * stored.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.sizes, strides, writeable=False)
        if self.number_type == "bfloat16":
            return (view.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a NaN is told about where the numbers are used
            return view.astype(np.float64 if stored.kind == "f" else stored.newbyteorder("="))
