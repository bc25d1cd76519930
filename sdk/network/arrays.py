"""Checks on the arrays that layers are made of, done once when a layer is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError

__all__ = ["INT32_HIGH", "INT32_LOW", "integer_array", "integer_scalar", "real_array"]

INT32_LOW, INT32_HIGH = -(2**31), 2**31 - 1


def integer_array(
    where: str, values: Any, dimensions: int, low: int = INT32_LOW, high: int = INT32_HIGH
) -> npt.NDArray[np.int32]:
    """`values` as a read-only, contiguous int32 array of n `dimensions`, every value in [low, high].

    Floating-point input is refused, whatever its values: an integer network is made of integers.
    Raises NetworkError naming `where`.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise NetworkError(where, f"must hold integers, found dtype {array.dtype}")
    if array.ndim != dimensions or array.size == 0:
        raise NetworkError(where, f"must be a non-empty array of {dimensions} dimensions, found shape {array.shape}")
    if int(array.min()) < low or int(array.max()) > high:
        raise NetworkError(where, f"values must lie in {low} … {high}, found {array.min()} … {array.max()}")
    result = np.ascontiguousarray(array, dtype=np.int32)
    if result is values or result.base is not None:
        result = result.copy()
    result.setflags(write=False)
    return result


def real_array(where: str, values: Any, *, positive: bool = False) -> npt.NDArray[np.float64]:
    """`values` as a read-only float64 vector of finite (and, if asked, `positive`) numbers; NetworkError else."""
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind not in "fiu" or array.ndim != 1 or array.size == 0:
        raise NetworkError(where, f"must be a non-empty vector of numbers, found {array.dtype} {array.shape}")
    result = array.astype(np.float64)
    if not np.all(np.isfinite(result)):
        raise NetworkError(where, "must be finite, found NaN or infinity")
    if positive and not np.all(result > 0):
        raise NetworkError(where, f"must be positive, found {result.min()}")
    result.setflags(write=False)
    return result


def integer_scalar(where: str, value: Any, low: int, high: int) -> int:
    """`value` as an int in [low, high]; NetworkError naming `where` otherwise (bool is not an integer here)."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= int(value) <= high:
        raise NetworkError(where, f"must be an integer in {low} … {high}, found {value!r}")
    return int(value)
