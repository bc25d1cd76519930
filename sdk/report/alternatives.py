"""Beside what: the bundle's own figures in one table with those of other forms and other designs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics import Answers, TargetMetrics, costs_of, read_alternatives
from ..metrics.json_values import mapping
from .blocks import Section, Table

__all__ = ["beside"]

_COLUMNS = {
    "accuracy": "accuracy",
    "r2": "R²",
    "luts": "LUT",
    "flip_flops": "flip-flops",
    "block_rams": "block RAM",
    "dsps": "DSP",
    "latency_us": "latency µs",
    "frames_per_second": "frames a second",
    "instructions": "instructions",
    "microseconds": "µs by model",
    "flash_bytes": "flash bytes",
    "ram_bytes": "RAM bytes",
    "file_bytes": "file bytes",
    "arena_bytes": "arena bytes",
}


def beside(manifest: Mapping[str, Any], answers: Answers, target: TargetMetrics) -> Section:
    """The table, if there is anything to compare with: a row for this bundle, then one for each alternative, and the
    columns that any of them has."""
    others = read_alternatives(mapping(manifest.get("metrics")).get("alternatives"))
    own = costs_of(target, answers)
    architecture = f", {target.architecture}" if target.architecture else ""
    found = "estimated and planned" if target.estimate else ""
    named: list[tuple[str, Mapping[str, int | float], str]]
    named = [(f"this bundle: {manifest['form']}{architecture}", own, found)]
    named += [(other.name, other.figures, other.said) for other in others]
    shown = {key: title for key, title in _COLUMNS.items() if any(key in figures for _, figures, _ in named)}
    rows = [
        {
            "what": name,
            **{title: _said(key, figures) for key, title in shown.items() if key in figures},
            "how it was found": said,
        }
        for name, figures, said in named
    ]
    lead = "The same model for the same part in other ways, so that the choice can be seen."
    table = Table(("what", *shown.values(), "how it was found"), rows if others else (), "Alternatives")
    return Section("Beside", [table], lead)


def _said(key: str, figures: Mapping[str, int | float]) -> Any:
    value = figures[key]
    if key == "accuracy":
        return f"{value:.2%}"
    return round(value) if key in ("luts", "flip_flops", "frames_per_second") else value
