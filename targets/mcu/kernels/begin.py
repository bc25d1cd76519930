"""What the sums of a packed dense layer begin with: its bias, in few bytes. The C is `begin.h`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray
from edgeml.targets.c.stored.meaning import WEIGHTS, Arrays, Ints, Part, signed

__all__ = ["Begin", "begin"]

_CODE_BYTES = 32
"""Flash that widening costs, about: a layer must save as much."""


@dataclass(frozen=True, eq=False)
class Begin:
    """Parameters
    ----------
    argument : what a kernel is handed as its bias, int32 [outputs].
    statements : what runs before it; y holds the bias then.
    includes, constants : what they need.
    further : int64 [outputs], what is added to what the constants hold.
    """

    argument: str
    statements: tuple[str, ...]
    includes: tuple[str, ...]
    constants: tuple[ConstantArray, ...]
    further: npt.NDArray[np.int64]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What its constants are."""
        return tuple(Part(array.name, WEIGHTS) for array in self.constants)

    def read(self, arrays: Arrays) -> Ints:
        """What the sums begin with, int32 [outputs], of whatever its constants hold."""
        return signed(sum((arrays[array.name] for array in self.constants), self.further))

    def decoded(self, arrays: Arrays) -> dict[str, Ints]:
        """The bias, for names."""
        return {"bias": self.read(arrays)} if self.constants else {}


def begin(
    prefix: str, bias: npt.NDArray[np.int64], outputs: int, even: int = 0, odd: int = 0, comment: str = ""
) -> Begin:
    """For a bias [n] of at most `outputs` (a multiple of 4) outputs; to the others, zeros.

    even, odd : constants of the packing that are added to outputs 0, 2, … and 1, 3, …, modulo 2^32: with them, a bias
        may pass the 32 bits that hold the sum in the end.
    """
    padded = np.zeros(outputs, np.int64)
    padded[: len(bias)] = bias
    name = f"{prefix}_bias"
    shifts, further = f"{even % 2**32}u, {odd % 2**32}u", np.zeros(outputs, np.int64)
    further[::2], further[1::2] = even, odd
    if not bias.any():
        return Begin("y", (f"edgeml_begin_none({outputs}, {shifts}, y);",), ("begin.h",), (), further)
    for bits in (8, 16):
        limit = 1 << (bits - 1)
        fits = -limit <= int(bias.min()) and int(bias.max()) < limit
        if fits and outputs * (4 - bits // 8) > _CODE_BYTES:
            array = ConstantArray(name, f"int{bits}_t", padded, "bias, offsets of the input folded in")
            call = f"edgeml_begin_s{bits}({name}, {outputs}, {shifts}, y);"
            return Begin("y", (call,), ("begin.h",), (array,), further)
    wrapped = signed(padded + further)
    return Begin(
        name,
        (),
        (),
        (ConstantArray(name, "int32_t", wrapped, f"bias, offsets of the input{comment} folded in"),),
        np.zeros(outputs, np.int64),
    )
