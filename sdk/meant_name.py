"""What a name that is not known was meant to be."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["name_remedy", "nearest_name"]

_LONGEST = 100
"""Characters of a name that are compared: their number of steps grows with its square."""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name` (Ratcliff and Obershelp's measure, at least 0.6; letters' case does not
    count), or "" where none is."""
    import difflib

    by_lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name[:_LONGEST].lower(), by_lower, 1)
    return by_lower[near[0]] if near else ""


def name_remedy(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """What an error says of a name that is not known: the one that may be meant, else `otherwise` (default: all that
    are known)."""
    known = list(known)
    if near := nearest_name(name, known):
        return f"Did you mean {near}?"
    return f"Known: {', '.join(known) or 'none'}" if otherwise is None else otherwise
