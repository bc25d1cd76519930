"""Thresholds and tables of chains that hold functions such as tanh or GELU, from the float64 reference itself.

A clamped line has thresholds in rational numbers (`thresholds.py`). Of other functions the float64 reference is the
definition, computed by operations that every processor rounds alike (`float_operators.elementary`):

    T[k] = the least accumulator whose level in the reference is base + k + 1

found by bisection, and proved by pushing every accumulator of the range through the reference (`proof.prove`). A
function of few integers is a table of its levels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.lookup import Lookup

from .proof import Reference, reaching

__all__ = ["rising_thresholds", "table"]

Integers = npt.NDArray[np.int64]

_MOST_ENTRIES = 2**16


def rising_thresholds(reference: Reference, acc_low: Integers, acc_high: Integers) -> Integers:
    """Thresholds [channels, levels] within [acc_low, acc_high + 1] for a reference that never falls in a channel."""
    ends = zip(acc_low.tolist(), acc_high.tolist(), strict=True)
    rows = [_row(reference, channel, *each) for channel, each in enumerate(ends)]
    return np.array(rows, dtype=np.int64)


def _row(reference: Reference, channel: int, low: int, high: int) -> Integers:
    quantizer = reference.quantizer
    wanted = np.arange(quantizer.low + 1, quantizer.high + 1)
    at = reaching(lambda acc: reference.levels(acc, channel) >= wanted, len(wanted), low, high)
    return np.maximum.accumulate(at)


def table(reference: Reference, low: int, high: int) -> Lookup | None:
    """The levels of the integers low … high as one table for all channels; None if channels differ, or it is too
    large."""
    if high - low >= _MOST_ENTRIES:
        return None
    integers = np.arange(low, high + 1)
    rows = [reference.levels(integers, channel) for channel in range(len(reference.scale))]
    if any(not np.array_equal(row, rows[0]) for row in rows[1:]):
        return None
    return Lookup(rows[0].astype(np.int32), low)
