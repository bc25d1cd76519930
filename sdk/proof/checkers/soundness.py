"""What every checker says of what it reads: that something must hold, that a number is one."""

from __future__ import annotations

import struct
from typing import Any

from ...errors import CheckFailed

__all__ = ["UNSOUND", "Claims", "integer", "integers", "need"]

UNSOUND = (
    *(KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError, MemoryError),
    struct.error,
)

Claims = list[dict[str, Any]]


def need(holds: bool, what: str, problem: str) -> None:
    """CheckFailed where something does not hold."""
    if not holds:
        raise CheckFailed(f"certificate, {what}", problem)


def integer(value: Any) -> int:
    """A number as the certificate must have it."""
    need(type(value) is int and abs(value) < 2**80, "number", f"{str(value)[:40]} is not one")
    return int(value)


def integers(values: Any) -> list[int]:
    """A list of them."""
    need(isinstance(values, list), "list", f"{str(values)[:40]} is not one")
    return [integer(value) for value in values]
