"""Floating point on words: IEEE 754 numbers as their bits, each result rounded to the nearest, ties to even.

A float32 is a word, a float64 two, the low one first; what gives a float64 is two operations, `…_low` and `…_high`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FLOAT_COLUMNS", "FLOAT_OPERATIONS"]

Column = npt.NDArray[np.uint32]
_NO_INTEGER = np.int64(-(1 << 31))
"""What a conversion gives for what is no integer of 32 bits."""


def _single(word: Column) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(word, np.uint32).view(np.float32)


def _double(low: Column, high: Column) -> npt.NDArray[np.float64]:
    low, high = np.broadcast_arrays(low, high)
    return (low.astype(np.uint64) | high.astype(np.uint64) << np.uint64(32)).view(np.float64)


def _integers(column: Column) -> npt.NDArray[np.int32]:
    return np.ascontiguousarray(column, np.uint32).view(np.int32)


def _of_single(function: Callable[..., Any]) -> Callable[..., Column]:
    def operation(*words: Column) -> Column:
        with np.errstate(all="ignore"):
            return np.asarray(function(*map(_single, words)), np.float32).view(np.uint32)

    return operation


def _halves(function: Callable[..., Any], high: bool) -> Callable[..., Column]:
    """One word of what a function of words gives, a float64."""

    def operation(*words: Column) -> Column:
        with np.errstate(all="ignore"):
            bits = np.asarray(function(*words), np.float64).view(np.uint64)
        return (bits >> np.uint64(32) if high else bits & np.uint64(0xFFFF_FFFF)).astype(np.uint32)

    return operation


def _whole(real: npt.NDArray[Any]) -> Column:
    """Whole numbers as signed integers of 32 bits."""
    inside = (real >= -(2.0**31)) & (real < 2.0**31)
    return np.where(inside, np.where(inside, real, 0).astype(np.int64), _NO_INTEGER).astype(np.uint32)


_DOUBLES: dict[str, Callable[..., Any]] = {
    "f64_of_s32": lambda a: _integers(a).astype(np.float64),
    "f64_mul": lambda a, b, c, d: _double(a, b) * _double(c, d),
    "f64_add": lambda a, b, c, d: _double(a, b) + _double(c, d),
}
FLOAT_COLUMNS: dict[str, Callable[..., Column]] = {
    "f32_of_s32": lambda a: _integers(a).astype(np.float32).view(np.uint32),
    "f32_mul": _of_single(np.multiply),
    "f32_add": _of_single(np.add),
    "f32_less": lambda a, b: (_single(a) < _single(b)).astype(np.uint32),
    "s32_of_f32": lambda a: _whole(np.rint(_single(a)).astype(np.float64)),
    "f64_less": lambda a, b, c, d: (_double(a, b) < _double(c, d)).astype(np.uint32),
    "s32_of_f64": lambda a, b: _whole(np.trunc(_double(a, b))),
    **{f"{name}_low": _halves(function, False) for name, function in _DOUBLES.items()},
    **{f"{name}_high": _halves(function, True) for name, function in _DOUBLES.items()},
}
"""On columns uint32 [rows]: `s32` a signed integer; a conversion to one rounds (f32) or cuts off (f64), as in kernels;
`less` is 1 or 0, and 0 of what is not a number."""


def _of_words(function: Callable[..., Column]) -> Callable[..., int]:
    return lambda *words: int(function(*(np.array([word], np.uint32) for word in words))[0])


FLOAT_OPERATIONS: dict[str, Callable[..., int]] = {
    name: _of_words(function) for name, function in FLOAT_COLUMNS.items()
}
"""The same of words 0 … 2^32 − 1."""
