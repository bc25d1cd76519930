"""What a network's monitor is worth: false alarms, and how broken inputs are told from known ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics.json_values import mapping, number
from .blocks import Section, Table

__all__ = ["monitor_section", "monitor_sentence"]


def monitor_sentence(found: Mapping[str, Any]) -> str:
    """The false alarms, in words."""
    samples, by = (int(number(found.get(key)) or 0) for key in ("samples", "thresholds_by"))
    alarms, rate = number(found.get("false_alarms")) or 0.0, number(found.get("rate"))
    wanted = "" if rate is None else f"; {rate:.1%} was asked for"
    return (
        f"Of {samples} held-back samples {alarms:.1%} are taken for unknown{wanted}. {by} others set the thresholds. "
        "An area of 1 tells all broken inputs from known ones, 0.5 none."
    )


def monitor_section(found: Any) -> Section:
    """The section of a report; empty for networks without a monitor."""
    rows = [mapping(row) for row in mapping(found).get("unknown", [])]
    signals = list(mapping(rows[0].get("auroc"))) if rows else []
    lines = [
        {"inputs": str(row.get("input")), "taken for unknown": f"{number(row.get('found')) or 0.0:.1%}"}
        | {name: f"{number(mapping(row.get('auroc')).get(name)) or 0.0:.3f}" for name in signals}
        for row in rows
    ]
    caption = "Inputs that nobody trained for: share found, and areas under the ROC curves"
    table = Table(["inputs", "taken for unknown", *signals], lines, caption)
    return Section("Known and unknown inputs", [table], monitor_sentence(mapping(found)) if lines else "")
