"""What generated C makes of real numbers and raw counts, held against the network's quantizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network.layers.input_quantizer import InputQuantizer

from .counts import Count

__all__ = ["check_counts", "check_floats"]

_ROWS = 64
_NEAR_HALF = 1e-6
_LARGEST_FLOAT = float(np.finfo(np.float32).max)


def check_floats(
    quantizer: InputQuantizer,
    quantize: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int32]],
    x: npt.NDArray[np.float64],
    where: str,
) -> npt.NDArray[np.int32]:
    """The integers [samples, inputs] that `quantize` makes of x [samples, inputs] as floats.

    CheckFailed naming the file `where` if the quantizer gives others.
    """
    floats = np.clip(x, -_LARGEST_FLOAT, _LARGEST_FLOAT).astype(np.float32)
    return _equal(floats, quantize(floats), quantizer.quantize(floats.astype(np.float64)), where)


def check_counts(
    quantizer: InputQuantizer,
    quantize: Callable[[npt.NDArray[np.int16]], npt.NDArray[np.int32]],
    counts: Sequence[Count],
    where: str,
) -> None:
    """CheckFailed naming the file `where` if `quantize` makes other integers of raw counts, drawn from a seed, than the
    quantizer makes of the real numbers that they stand for. Counts nearly halfway are left out: what double precision
    makes of them need not be right."""
    raw = np.random.default_rng(0).integers(-(2**15), 2**15, (_ROWS, quantizer.size)).astype(np.int16)
    raw[0], raw[1], raw[2] = -(2**15), 2**15 - 1, 0
    repeats = quantizer.size // len(counts)
    unit, origin = (np.tile([getattr(count, part) for count in counts], repeats) for part in ("unit", "origin"))
    x = origin + unit * raw
    steps = (x - quantizer.offset) / quantizer.scale
    near = np.abs(steps - np.floor(steps) - 0.5) < _NEAR_HALF * np.maximum(1, np.abs(steps))
    found = quantize(raw)
    _equal(raw, found, np.where(near, found, quantizer.quantize(x)), where)


def _equal(
    given: npt.NDArray[Any], found: npt.NDArray[np.int32], wanted: npt.NDArray[np.int32], where: str
) -> npt.NDArray[np.int32]:
    if (differs := found != wanted).any():
        row, feature = np.argwhere(differs)[0]
        what = f"makes {found[row, feature]} of {given[row, feature]}, feature {feature}"
        raise CheckFailed(where, f"{what}; the quantizer gives {wanted[row, feature]}")
    return found
