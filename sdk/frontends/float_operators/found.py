"""Float operators by kind: those of this folder, and those of installed packages."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from ...errors import InputError, MissingTool
from .operator import FloatOperator, registered_kinds

__all__ = ["GROUP", "float_operator_kinds"]

GROUP = "edgeml.float_operators"
"""Entry-point group; an entry's name is the kind, its value the class."""


@lru_cache(maxsize=8)
def _declared(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of the group; `path` is `sys.path`. Kept, for readers ask for each operator of a model."""
    return tuple(entry_points(group=GROUP))


def float_operator_kinds() -> Mapping[str, type[FloatOperator]]:
    """All classes of float operators by kind.

    Raises
    ------
    MissingTool : an installed package names a class that cannot be imported.
    InputError : it names something else than a float operator of that kind.
    """
    known = dict(registered_kinds())
    for entry in _declared(tuple(sys.path)):
        if entry.name in known:
            continue
        try:
            found = entry.load()
        except (ImportError, AttributeError) as error:
            raise MissingTool(
                f"float operator {entry.name!r}",
                f"cannot be imported from {entry.value} ({error})",
                "Install the package that it needs, or remove the one that names it",
            ) from error
        if not (isinstance(found, type) and issubclass(found, FloatOperator) and found.kind == entry.name):
            raise InputError(
                f"float operator {entry.name!r}",
                f"{entry.value} is not a subclass of FloatOperator of that kind",
                "Mend the entry point of the package, or remove the package",
            )
        known[entry.name] = found
    return known
