"""What synthesis and placing found, beside what was estimated: for the report and for the terminal."""

from __future__ import annotations

from typing import Any

from ..metrics import TargetMetrics
from .blocks import Section, Table

__all__ = [
    "COLUMNS",
    "HARDWARE_TITLE",
    "clock_said",
    "figures",
    "hardware_by_layer",
    "hardware_section",
    "synthesis_section",
    "unfinished_said",
]

COLUMNS = ("resource", "estimated", "counted by yosys", "placed by nextpnr", "of", "used")
_BY_LAYER = {
    "luts": "lookup tables",
    "flip_flops": "flip-flops",
    "block_rams": "block RAMs",
    "dsps": "DSPs",
    "first_stage": "first stage",
    "last_stage": "last stage",
    "pe": "PE",
    "simd": "SIMD",
    "membranes_per_clock": "membranes a clock",
    "clocks_per_frame": "clocks a frame",
    "most_clocks_per_frame": "clocks a frame at most",
    "latency_clocks": "clocks of latency",
    "slowest_path_ns": "slowest path, ns",
}
HARDWARE_TITLE = "Hardware by layer, estimated and planned"
_NAMES = {"luts": "lookup tables", "flip_flops": "flip-flops", "block_rams": "block RAMs", "dsps": "DSPs"}


def clock_said(target: TargetMetrics) -> str:
    """The clock placed, beside the planned one, and what each means for a frame; "" where there is no clock."""
    placed, planned = target.placed.fmax_mhz, target.planned_clock_mhz
    said = [_at(target, clock, word) for clock, word in ((placed, "placed"), (planned, "planned")) if clock]
    if placed and target.placed.seeds_tried > 1:
        said.append(f"of {target.placed.seeds_tried} placements tried, that of seed {target.placed.seed} is kept")
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


def synthesis_section(target: TargetMetrics) -> Section:
    """Estimated, counted and placed, side by side, and the clock."""
    rows = figures(target)
    columns = [column for column in COLUMNS if any(row[column] != "" for row in rows)]
    said = " ".join(text for text in (unfinished_said(target), clock_said(target)) if text)
    return Section("After synthesis", [Table(columns, rows, "resources after synthesis")], said)


def hardware_by_layer(target: TargetMetrics) -> tuple[list[str], list[dict[str, Any]]]:
    """(columns, a row for each layer): what is estimated of its resources and planned of its time; [] where the target
    is not an FPGA. Synthesis flattens, so that nothing is counted by layer."""
    if not target.layer_costs("luts"):
        return [], []
    known = [key for key in _BY_LAYER if target.layer_costs(key)]
    rows = [
        {"layer": layer, **{_BY_LAYER[key]: costs.get(key, "") for key in known}}
        for layer, costs in target.layers.items()
    ]
    used = [key for key in known if key.endswith("stage") or any(target.layer_costs(key).values())]
    columns = ["layer", *(_BY_LAYER[key] for key in used)]
    return columns, rows


def hardware_section(target: TargetMetrics) -> Section:
    """The table of it."""
    columns, rows = hardware_by_layer(target)
    lead = (
        "Resources are estimated, stages, clocks and paths planned: yosys flattens, and counts the design as a whole."
    )
    return Section(HARDWARE_TITLE, [Table(columns, rows, "hardware by layer")], lead)
