"""Text out of files, made fit for a terminal."""

from __future__ import annotations

from typing import Any

__all__ = ["printable"]


def printable(text: Any, most: int = 120) -> str:
    """`text` on one line of printable characters, shortened to at most `most`."""
    line = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * most])
    return line if len(line) <= most else f"{line[: most - 1]}…"
