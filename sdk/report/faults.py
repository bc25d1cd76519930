"""What flipped bits of memory do to a bundle: the curve, the worst bits, and whether its artifact agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics.json_values import mapping, number
from .blocks import Figure, Section, Table
from .chart import chart

__all__ = ["devices_sentence", "faults_section", "faults_sentence"]


def faults_sentence(found: Mapping[str, Any]) -> str:
    """What the table says, in words."""
    samples, without = int(number(found.get("samples")) or 0), number(found.get("without")) or 0.0
    where = " and ".join(str(place) for place in found.get("where", []))
    looked, of = (int(number(found.get(key)) or 0) for key in ("looked_at", "of_bits"))
    said = (
        f"Bits of {where} flipped, each by itself; {without:.2%} of {samples:,} samples are right without flips, "
        f"judged by the {found.get('judged')}."
    )
    return said + (f" {looked:,} of {of:,} bits were looked at for the worst." if of else "")


def devices_sentence(found: Mapping[str, Any]) -> str:
    """Whether the artifact computed what the definition says."""
    parts = []
    for each in map(mapping, found.get("devices", [])):
        error = str(each.get("error", ""))
        differ, vectors = (int(number(each.get(key)) or 0) for key in ("mismatches", "vectors"))
        parts.append(f"{each.get('name')}: {error or f'{differ} of {vectors:,} vectors differ from the definition'}")
    return "; ".join(parts)


def faults_section(found: Any) -> Section:
    """The section of a report; empty where no faults were drawn."""
    document = mapping(found)
    rows = [mapping(row) for row in document.get("rates", [])]
    if not rows:
        return Section("With flipped bits", [])
    lines = [
        {"flip rate": f"{number(row.get('rate')) or 0.0:g}", "draws": int(number(row.get("draws")) or 0)}
        | {name: f"{number(row.get(key)) or 0.0:.2%}" for key, name in _COLUMNS.items()}
        for row in rows
    ]
    rates = [number(row.get("rate")) or 0.0 for row in rows]
    series = [
        {"name": name, "x": rates, "y": [number(row.get(key)) or 0.0 for row in rows]}
        for key, name in _COLUMNS.items()
        if key != "spread"
    ]
    title = "Right answers over the rate of flipped bits"
    drawn = {"kind": "line", "title": title, "x_label": "flip rate", "y_label": "share right", "series": series}
    bits = [
        {"bit": f"{row.get('layer')}: {row.get('said')}", "right": f"{number(row.get('right')) or 0.0:.2%}"}
        for row in map(mapping, document.get("worst_bits", []))
    ]
    blocks = [
        Table(["flip rate", "draws", *_COLUMNS.values()], lines, "Answers over rates of flipped bits"),
        Figure(title, chart(drawn), devices_sentence(document)),
        Table(["bit", "right"], bits, "Single bits that do most harm"),
    ]
    return Section("With flipped bits", blocks, faults_sentence(document))


_COLUMNS = {"mean": "right, mean", "worst": "worst draw", "spread": "spread"}
