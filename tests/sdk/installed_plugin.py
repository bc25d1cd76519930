"""A package of somebody's, installed for the length of a test: real entry points, found as any other's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, **entry_points: str) -> None:
    """A module `name` with `source` on the import path, and entry points by group (`executors` …): "key = object"."""
    site = folder / f"site-{name}"
    described = site / f"{name}-1.0.dist-info"
    described.mkdir(parents=True)
    (site / f"{name}.py").write_text(source, encoding="utf-8")
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    groups = (f"[edgeml.{group}]\n{lines}\n" for group, lines in entry_points.items())
    (described / "entry_points.txt").write_text("".join(groups), encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, name, raising=False)
