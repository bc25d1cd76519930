"""What synthesis and placing found, beside what was estimated: for the report and for the terminal."""

from __future__ import annotations

from typing import Any

from ..metrics import TargetMetrics
from .markup import section, table

__all__ = ["COLUMNS", "clock_said", "figures", "synthesis_section", "unfinished_said"]

COLUMNS = ("resource", "estimated", "counted by yosys", "placed by nextpnr", "of", "used")
_NAMES = {"luts": "lookup tables", "flip_flops": "flip-flops", "block_rams": "block RAMs", "dsps": "DSPs"}


def clock_said(target: TargetMetrics) -> str:
    """The clock placed, beside the planned one, and what each means for a frame; "" where there is no clock."""
    placed, planned = target.placed.fmax_mhz, target.planned_clock_mhz
    said = [_at(target, clock, word) for clock, word in ((placed, "placed"), (planned, "planned")) if clock]
    return "; ".join(said)


def _at(target: TargetMetrics, clock: float, word: str) -> str:
    """What a clock in MHz means for a frame."""
    said = f"{word} {clock:g} MHz"
    latency, interval = target.cycles.get("latency"), target.cycles.get("interval")
    if latency and interval:
        said += f": {latency / clock * 1e3:,.4g} ns of latency, {clock * 1e6 / interval:,.0f} frames a second"
    return said


def unfinished_said(target: TargetMetrics) -> str:
    """What of the synthesis was not finished within its limit; "" where all was, or none was asked for."""
    if target.synthesis is None or not target.synthesis.unfinished:
        return ""
    left = "what is placed" if target.synthesis.cells else "cells and clock"
    return f"Synthesis is not finished: {target.synthesis.unfinished}. The estimates stand for {left}."


def figures(target: TargetMetrics) -> list[dict[str, Any]]:
    """A row by `COLUMNS` for each resource that the design or its estimate uses; [] where nothing was synthesized."""
    if target.synthesis is None:
        return []
    rows = []
    for key, name in _NAMES.items():
        found, estimated = target.synthesis.cells.get(key), target.estimate.get(key)
        placed = target.placed.cells.get(key)
        used = placed.used if placed else found
        if used is None and target.synthesis.unfinished:
            used = estimated
        if used is None or not any((found, estimated, placed)):
            continue
        available = placed.available if placed else target.budget.get(key)
        in_cells = key == "luts" and target.placed.in_logic_cells
        rows.append(
            {
                "resource": f"{name} (placed: logic cells)" if in_cells else name,
                "estimated": _whole(estimated),
                "counted by yosys": _whole(found),
                "placed by nextpnr": _whole(placed.used if placed else None),
                "of": _whole(available),
                "used": f"{used / available:.1%}" if available else "",
            }
        )
    return rows


def _whole(amount: float | None) -> int | str:
    return "" if amount is None else round(amount)


def synthesis_section(target: TargetMetrics) -> str:
    """Estimated, counted and placed, side by side, and the clock."""
    rows = figures(target)
    columns = [column for column in COLUMNS if any(row[column] != "" for row in rows)]
    said = " ".join(text for text in (unfinished_said(target), clock_said(target)) if text)
    return section("After synthesis", table(columns, rows, "resources after synthesis"), said)
