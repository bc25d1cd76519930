"""How far inputs may move before the class can be another, of a bundle that was certified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics.json_values import mapping, number
from .blocks import Section, Table

__all__ = ["guarantees_section", "guarantees_sentence"]


def guarantees_sentence(found: Mapping[str, Any]) -> str:
    """What the table says of the samples, in words."""
    samples, levels = (int(number(found.get(key)) or 0) for key in ("samples", "levels"))
    median, exact = (number(found.get(key)) or 0.0 for key in ("median", "exact"))
    return (
        f"Of {samples} samples, half keep their class under any change of all inputs by {median:g} of {levels} levels "
        f"or more, which is proved; the largest such change is known exactly for {exact:.0%}."
    )


def guarantees_section(found: Any) -> Section:
    """The section of a report; empty where nothing was certified."""
    rows = [mapping(row) for row in mapping(found).get("radii", [])]
    names = {"certified": "cannot change", "changed": "can change", "open": "not known", "right": "certified and right"}
    shown = {key: name for key, name in names.items() if rows and key in rows[0]}
    lines = [
        {"steps of each input": f"±{int(number(row.get('radius')) or 0)}"}
        | {name: f"{number(row.get(key)) or 0.0:.1%}" for key, name in shown.items()}
        for row in rows
    ]
    table = Table(["steps of each input", *shown.values()], lines, "Classes under changes of the inputs")
    return Section("Near its samples", [table], guarantees_sentence(mapping(found)) if lines else "")
