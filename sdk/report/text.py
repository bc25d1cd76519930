"""What is shown of a value: words, numbers with separators, long texts cut. Plain text: templates escape it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["MOST_ROWS", "percent", "points", "readable", "short", "tenths", "text", "words"]

MOST_ROWS = 200
"""Rows that a table shows; what is more is counted in a note."""
_LONGEST_TEXT = 2000
_NOT_IN_A_PAGE = {
    **dict.fromkeys([*range(9), 11, 12, *range(13, 32), *range(127, 160)]),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""Control characters, which HTML does not allow, and halves of pairs of UTF-16, which UTF-8 cannot hold."""


def text(item: Any) -> str:
    """One value in words: integers with separators, fractions to four digits."""
    if isinstance(item, bool) or item is None:
        return {True: "yes", False: "no", None: "–"}[item]
    if isinstance(item, int):
        return f"{item:,}".replace("-", "−") if abs(item) < 10**30 else "a very large integer"
    if isinstance(item, float):
        if math.isfinite(item) and 1000 <= abs(item) < 1e12:
            return f"{item:,.0f}".replace("-", "−")
        return f"{item:.4g}".replace("-", "−")
    if isinstance(item, Mapping):
        return ", ".join(f"{key} {inner}" for key, inner in item.items())[:_LONGEST_TEXT]
    if isinstance(item, Sequence) and not isinstance(item, str):
        shown = ", ".join(str(inner) for inner in item[:MOST_ROWS])[:_LONGEST_TEXT]
        return shown + (f" … {len(item) - MOST_ROWS} more" if len(item) > MOST_ROWS else "")
    whole = str(item)
    return whole if len(whole) <= _LONGEST_TEXT else whole[:_LONGEST_TEXT] + "…"


def words(key: Any) -> str:
    """A key of a mapping as words."""
    return str(key).replace("_", " ").strip()


def percent(share: float, digits: int = 2) -> str:
    """A share of 1 as a percentage."""
    return f"{share:.{digits}%}"


def tenths(number: float) -> str:
    """A place in a picture, to a tenth."""
    return f"{number:.1f}"


def short(number: float) -> str:
    """A place in a picture, to six digits."""
    return f"{number:g}"


def points(places: Sequence[tuple[float, float]]) -> str:
    """Places (across, down) as SVG lists them."""
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in places)


def readable(item: Any) -> str:
    """Any text as a page can hold it: without control characters but tabs and ends of lines."""
    return str(item).translate(_NOT_IN_A_PAGE)
