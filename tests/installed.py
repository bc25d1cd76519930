"""Whether the entry points that are installed are those of this tree: plugins are found by them alone."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

from edgeml.extras import DISTRIBUTION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["stale_entry_points"]

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def stale_entry_points() -> str:
    """What to do if `pyproject.toml` declares other plugins than the installed edgeml; empty if it does not."""
    declared = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]
    wanted = {(group, *item) for group, items in declared.items() for item in items.items()}
    found = entry_points()
    installed = {
        (group, entry.name, entry.value)
        for group in found.groups
        for entry in found.select(group=group)
        if entry.dist is not None and entry.dist.name == DISTRIBUTION
    }
    different = sorted(wanted.symmetric_difference({each for each in installed if each[0] != "console_scripts"}))
    if not different:
        return ""
    return (
        f"edgeml is installed with other entry points than pyproject.toml declares, first {different[0]}: "
        "python -m pip install --no-deps --no-build-isolation -e . (and remove a stale edgeml_exact.egg-info)"
    )
