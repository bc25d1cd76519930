"""How many inputs a packed accumulator can take before its fields must be emptied: exact, from the weights.

Several sums share one register there, each in a field of a few bits. A field is only read at the end of a segment of
inputs, and until then sums are right modulo the field; so what must fit is each segment's final sum, whose exact range
follows from the weights and the range of each input.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["GROUP", "padded_to", "segment_ranges", "widest_segment"]

GROUP = 8
"""Inputs are taken in groups of so many; a segment is a whole number of groups."""

_LONGEST = 1024
Ranges = npt.NDArray[np.int64]


def padded_to(count: int, multiple: int) -> int:
    """`count` rounded up to a multiple."""
    return -(-count // multiple) * multiple


def segment_ranges(weight: npt.NDArray[np.int32], low: Ranges, high: Ranges, length: int) -> tuple[Ranges, Ranges]:
    """Smallest and largest Σ_i weight[o, i] · x[i] over each segment of `length` inputs: int64 [segments, outputs].

    low, high : int64 [inputs], the range of each input.
    """
    inputs = weight.shape[1]
    starts = np.arange(0, inputs, length)
    wide = weight.astype(np.int64)
    positive, negative = np.maximum(wide, 0), np.minimum(wide, 0)
    down = np.add.reduceat(positive * low + negative * high, starts, axis=1).T
    up = np.add.reduceat(positive * high + negative * low, starts, axis=1).T
    return down, up


def widest_segment(
    weight: npt.NDArray[np.int32],
    low: Ranges,
    high: Ranges,
    bits: npt.NDArray[np.int64],
    movable: npt.NDArray[np.bool_],
) -> tuple[int, int] | None:
    """The longest segment (a multiple of GROUP inputs) and the shift with which every sum fits its field.

    Parameters
    ----------
    bits : int64 [outputs], width of each output's field, signed.
    movable : bool [outputs], whether the field starts with the common shift, which centres what the fields hold.

    Returns
    -------
    (length, shift), or None where not even one group fits. The shift is added once in each segment; whoever uses it
    takes it back in the bias.
    """
    limit = np.int64(1) << (bits - 1)
    groups = min(-(-weight.shape[1] // GROUP), _LONGEST // GROUP)
    for count in range(groups, 0, -1):
        down, up = segment_ranges(weight, low, high, count * GROUP)
        shift = -int((down[:, movable].min() + up[:, movable].max() + 1) // 2) if movable.any() else 0
        moved = np.where(movable, shift, 0)
        if bool(np.all(down + moved >= -limit) and np.all(up + moved < limit)):
            return count * GROUP, shift
    return None
