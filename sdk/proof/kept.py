"""What proofs keep for another time: JSON in the user's cache, found by a digest of all that it follows from."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from ..system import cache

__all__ = ["keep", "kept", "kept_before"]

_KIND = "proofs"
_Found = TypeVar("_Found")


def kept(key: str, read: Callable[[Any], _Found]) -> _Found | None:
    """What was kept under a key, as `read` takes it from its JSON; None where nothing was, or nothing sound."""
    return next(iter(kept_before(key, 1, read)), None)


def kept_before(key: str, most: int, read: Callable[[Any], _Found]) -> list[_Found]:
    """All that was kept under a key, the last first, so many at most; what is not sound is left out."""
    found = []
    for path in cache.find_all(_KIND, key)[:most]:
        with suppress(OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            found.append(read(json.loads(path.read_bytes())))
    return found


def keep(key: str, content: Any) -> None:
    """Keep JSON-able content under a key; a full disk is of no matter."""
    cache.keep(_KIND, key, json.dumps(content, separators=(",", ":")).encode())
