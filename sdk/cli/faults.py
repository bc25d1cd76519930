"""`edgeml verify --faults`: the table, and how the command ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from ..errors import InputError

__all__ = ["numbers", "run_faults"]


def numbers(text: str) -> tuple[float, ...]:
    """Rates of a list with commas; InputError where one is not a number."""
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError as error:
        raise InputError("--faults", f"takes numbers with commas between them, found {text!r}", "1e-4,1e-3") from error


def run_faults(
    bundle: Path, rates: str, where: str, data: Path | None, *, terminal: tuple[bool, bool], **settings: Any
) -> None:
    """Draw faults in a bundle. settings : of `FaultSettings`. terminal : (as_json, quiet). Leaves with 1 if an artifact
    computes something else than the definition, or faults."""
    from ..bundle import load
    from ..faults.bundle_faults import FaultSettings, bundle_faults
    from ..report.faults import devices_sentence, faults_sentence
    from ..terminal import Terminal

    shown = Terminal(*terminal)
    places = tuple(word.strip() for word in where.split(","))
    asked = FaultSettings(tuple(sorted(numbers(rates))), places, **settings)
    loaded = load(bundle)
    with shown.progress(lines=True) as (_, announce):
        found = bundle_faults(loaded, asked, data, announce)

    def show() -> None:
        rows = [
            [f"{row['rate']:g}", row["draws"], f"{row['bits']:.1f}"]
            + [f"{row[key]:.2%}" for key in ("mean", "spread", "worst")]
            for row in found["rates"]
        ]
        shown.table("", ["flip rate", "draws", "bits flipped", "right, mean", "spread", "worst draw"], rows)
        if found["worst_bits"]:
            bits = [[row["layer"], row["said"], f"{row['right']:.2%}"] for row in found["worst_bits"]]
            shown.table("", ["layer", "worst single bits", "right"], bits)
        shown.plain(faults_sentence(found))
        shown.plain(devices_sentence(found))

    shown.result({"bundle": str(bundle), **found}, show)
    if any(each["mismatches"] or each["failed"] for each in found["devices"]):
        raise typer.Exit(1)
