"""Values out of JSON that anybody may have written: of the type that is asked for, or none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["amount", "mapping", "number", "numbers", "text"]


def number(item: Any) -> float | None:
    """`item` as a finite float, or None if it is not a number."""
    if isinstance(item, bool) or not isinstance(item, (int, float)):
        return None
    try:
        found = float(item)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def amount(item: Any) -> int | float | None:
    """`item` itself if it is a finite number (whole ones stay whole), else None."""
    return None if number(item) is None else item


def text(item: Any) -> str:
    """`item` if it is text, else ""."""
    return item if isinstance(item, str) else ""


def mapping(item: Any) -> Mapping[str, Any]:
    """`item` with its keys as text if it is a mapping, else an empty one."""
    return {str(key): value for key, value in item.items()} if isinstance(item, Mapping) else {}


def numbers(item: Any) -> Mapping[str, int | float]:
    """The finite numbers of a mapping, by key."""
    return {key: value for key, value in mapping(item).items() if number(value) is not None}
