"""Rules that a file is checked by before a tool of others takes it; `edgeml inspect` applies all that fit."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from ..registry import Registry, ending
from .target import RuleResult

__all__ = ["INSPECTIONS", "Inspection", "inspections"]


@runtime_checkable
class Inspection(Protocol):
    """Checks a file for one tool; usually a function."""

    def __call__(self, path: Path) -> list[RuleResult] | None:
        """The tool's rules applied to the file; None if there are none for this file."""
        ...


INSPECTIONS: Registry[Inspection] = Registry("edgeml.inspections", "inspection", Inspection)  # type: ignore[type-abstract]


def inspections(path: Path) -> dict[str, list[RuleResult]]:
    """What installed packages find in a file, by the name of the tool whose rules they know."""
    found = {name: entry.load()(path) for name, entry in INSPECTIONS.fitting([ending(str(path))]).items()}
    return {name: results for name, results in found.items() if results is not None}
