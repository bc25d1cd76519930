"""What operations in certificates of words give, of columns of words.

Floating point is bits of IEEE 754 numbers: `f32` takes and gives single words, `f64` pairs of them, the low one first.
Sums and products round to the nearest, ties to even; a float32's conversion to a signed integer does, a float64's cuts
off. 2^31 stands for what no integer holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["COLUMNS"]

Column = Any


def _real(*words: Column) -> Any:
    """The numbers whose bits are these words."""
    columns = [np.atleast_1d(word).astype("<u4") for word in np.broadcast_arrays(*words)]
    return np.stack(columns, axis=-1).copy().view(f"<f{4 * len(words)}")[..., 0]


def _words(real: Any, half: int) -> Column:
    """Word `half` of the bits of numbers."""
    return np.ascontiguousarray(real)[..., None].view("<u4")[..., half].astype(np.uint32)


def _integer(whole: Any) -> Column:
    """Integral numbers in two's complement."""
    fits = np.abs(whole + 0.5) < 2.0**31
    return np.where(fits, np.where(fits, whole, 0.0), -(2.0**31)).astype(np.int64).astype(np.uint32)


def _pair(name: str, function: Callable[..., Any]) -> dict[str, Callable[..., Column]]:
    return {f"f64_{name}_{half}": lambda *w, k=place: _words(function(*w), k) for place, half in enumerate(_HALVES)}


def _signed(column: Column) -> Column:
    return column.astype(np.int32).astype(np.int64)


def _moved(a: Column, b: Column, left: bool) -> Column:
    count = np.minimum(b, 32).astype(np.uint64)
    return (a.astype(np.uint64) << count if left else a.astype(np.uint64) >> count).astype(np.uint32)


_HALVES = ("low", "high")
COLUMNS: dict[str, Callable[..., Column]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "mulhu": lambda a, b: (a.astype(np.uint64) * b >> np.uint64(32)).astype(np.uint32),
    "mulhs": lambda a, b: (_signed(a) * _signed(b) >> 32).astype(np.uint32),
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: _moved(a, b, True),
    "shr": lambda a, b: _moved(a, b, False),
    "sar": lambda a, b: (_signed(a) >> np.minimum(b, 31)).astype(np.uint32),
    "slt": lambda a, b: (_signed(a) < _signed(b)).astype(np.uint32),
    "ult": lambda a, b: (a < b).astype(np.uint32),
    "eq": lambda a, b: (a == b).astype(np.uint32),
    "ones": lambda a: sum((a >> np.uint32(place) & np.uint32(1) for place in range(32)), np.zeros(1, np.uint32)),
    "select": lambda c, a, b: np.where(c != 0, a, b),
    "f32_of_s32": lambda a: _words(_signed(a).astype(np.float32), 0),
    "f32_add": lambda a, b: _words(_real(a) + _real(b), 0),
    "f32_mul": lambda a, b: _words(_real(a) * _real(b), 0),
    "f32_less": lambda a, b: np.asarray(_real(a) < _real(b), np.uint32),
    "s32_of_f32": lambda a: _integer(np.round(_real(a).astype(np.float64))),
    "f64_less": lambda a, b, c, d: np.asarray(_real(a, b) < _real(c, d), np.uint32),
    "s32_of_f64": lambda a, b: _integer(np.trunc(_real(a, b))),
    **_pair("of_s32", lambda a: _signed(a).astype(np.float64)),
    **_pair("add", lambda a, b, c, d: _real(a, b) + _real(c, d)),
    **_pair("mul", lambda a, b, c, d: _real(a, b) * _real(c, d)),
}
