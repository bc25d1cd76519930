"""What operations on words give: of two integers, and of columns of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .floating import FLOAT_COLUMNS, FLOAT_OPERATIONS

__all__ = ["COLUMN_OPERATIONS", "OPERATIONS"]

_ALL = (1 << 32) - 1
Column = npt.NDArray[np.uint32]


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


OPERATIONS: dict[str, Callable[..., int]] = {
    "add": lambda a, b: (a + b) & _ALL,
    "sub": lambda a, b: (a - b) & _ALL,
    "mul": lambda a, b: (a * b) & _ALL,
    "mulhu": lambda a, b: (a * b) >> 32,
    "mulhs": lambda a, b: ((_signed(a) * _signed(b)) >> 32) & _ALL,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: (a << b) & _ALL if b < 32 else 0,
    "shr": lambda a, b: a >> b if b < 32 else 0,
    "sar": lambda a, b: (_signed(a) >> min(b, 31)) & _ALL,
    "slt": lambda a, b: int(_signed(a) < _signed(b)),
    "ult": lambda a, b: int(a < b),
    "eq": lambda a, b: int(a == b),
    "select": lambda c, a, b: a if c else b,
    "ones": lambda a: a.bit_count(),
    **FLOAT_OPERATIONS,
}
"""By name: operands and result 0 … 2^32 − 1; comparisons give 0 or 1."""


def _wide(column: Column) -> npt.NDArray[np.uint64]:
    return column.astype(np.uint64)


def _wide_signed(column: Column) -> npt.NDArray[np.int64]:
    return column.astype(np.int32).astype(np.int64)


def _shift(left: bool) -> Callable[[Column, Column], Column]:
    def shift(a: Column, b: Column) -> Column:
        count = np.minimum(b, np.uint32(32)).astype(np.uint64)
        moved = _wide(a) << count if left else _wide(a) >> count
        return (moved & np.uint64(_ALL)).astype(np.uint32)

    return shift


def _ones(a: Column) -> Column:
    """How many bits are 1."""
    bytes_ = np.ascontiguousarray(a, np.uint32).view(np.uint8).reshape(-1, 4)
    return np.asarray(np.unpackbits(bytes_, axis=1).sum(axis=1), np.uint32)


def _words(number: npt.NDArray[Any]) -> Column:
    return np.asarray(number & number.dtype.type(_ALL), np.uint32)


COLUMN_OPERATIONS: dict[str, Callable[..., Column]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "mulhu": lambda a, b: ((_wide(a) * _wide(b)) >> np.uint64(32)).astype(np.uint32),
    "mulhs": lambda a, b: _words((_wide_signed(a) * _wide_signed(b)) >> 32),
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": _shift(True),
    "shr": _shift(False),
    "sar": lambda a, b: _words(_wide_signed(a) >> np.minimum(b, np.uint32(31)).astype(np.int64)),
    "slt": lambda a, b: (a.astype(np.int32) < b.astype(np.int32)).astype(np.uint32),
    "ult": lambda a, b: (a < b).astype(np.uint32),
    "eq": lambda a, b: (a == b).astype(np.uint32),
    "select": lambda c, a, b: np.asarray(np.where(c != 0, a, b), np.uint32),
    "ones": _ones,
    **FLOAT_COLUMNS,
}
"""The same on columns uint32 [rows]."""
