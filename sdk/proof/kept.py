"""What proofs keep for another time: JSON in the user's cache, found by a digest of all that it follows from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from ..system import cache

__all__ = ["keep", "kept"]

_KIND = "proofs"
_Found = TypeVar("_Found")


def kept(key: str, read: Callable[[Any], _Found]) -> _Found | None:
    """What was kept under a key, as `read` takes it from its JSON; None where nothing was, or nothing sound."""
    path = cache.find(_KIND, key)
    if path is None:
        return None
    try:
        return read(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def keep(key: str, content: Any) -> None:
    """Keep JSON-able content under a key; a full disk is of no matter."""
    cache.keep(_KIND, key, json.dumps(content, separators=(",", ":")).encode())
