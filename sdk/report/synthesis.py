"""What synthesis and placing found, beside what was estimated: for the report and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .markup import number, section, table

__all__ = ["COLUMNS", "clock", "clock_said", "figures", "placed_cell", "synthesis_section"]

COLUMNS = ("resource", "estimated", "counted by yosys", "placed by nextpnr", "of", "used")
_NAMES = {"luts": "lookup tables", "flip_flops": "flip-flops", "block_rams": "block RAMs", "dsps": "DSPs"}


def _mapping(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, Mapping) else {}


def _placed(target: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(target.get("synthesis")).get("placed"))


def placed_cell(target: Mapping[str, Any], resource: str) -> tuple[float, float] | None:
    """(used, available) of a resource as placed; None where nothing was, or the target's metrics do not say."""
    cell = _mapping(_mapping(_placed(target).get("cells")).get(resource))
    used, available = number(cell.get("used")), number(cell.get("available"))
    return None if used is None or available is None else (used, available)


def clock(target: Mapping[str, Any]) -> float | None:
    """The clock that the placed design reaches, MHz."""
    return number(_placed(target).get("fmax_mhz"))


def clock_said(target: Mapping[str, Any]) -> str:
    """The clock reached, beside the planned one, and what it means for a frame; "" where nothing was placed."""
    reached, planned = clock(target), number(target.get("planned_clock_mhz"))
    if not reached:
        return ""
    said = f"{reached:g} MHz reached" + (f", {planned:g} MHz planned" if planned else "")
    cycles = _mapping(target.get("cycles"))
    latency, interval = number(cycles.get("latency")), number(cycles.get("interval"))
    if latency and interval:
        rate = reached * 1e6 / interval
        said += f"; at the clock reached {latency / reached:.4g} µs of latency, {rate:,.0f} frames a second"
    return said


def figures(target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row by `COLUMNS` for each resource that the design or its estimate uses; [] where nothing was synthesized."""
    counted = _mapping(_mapping(target.get("synthesis")).get("cells"))
    estimate, budget = _mapping(target.get("estimate")), _mapping(target.get("budget"))
    rows = []
    for key, name in _NAMES.items():
        found = number(counted.get(key))
        placed = placed_cell(target, key)
        if found is None or not any((found, number(estimate.get(key)), placed)):
            continue
        available = placed[1] if placed else number(budget.get(key))
        used = placed[0] if placed else found
        rows.append(
            {
                "resource": f"{name} (placed: logic cells)" if key == "luts" and _logic_cells(target) else name,
                "estimated": _whole(number(estimate.get(key))),
                "counted by yosys": _whole(found),
                "placed by nextpnr": _whole(placed[0] if placed else None),
                "of": _whole(available),
                "used": f"{used / available:.1%}" if available else "",
            }
        )
    return rows


def _logic_cells(target: Mapping[str, Any]) -> bool:
    """Whether it is an iCE40: a logic cell holds a lookup table, a carry, a flip-flop, or more of them."""
    return "ICESTORM_LC" in _mapping(_placed(target).get("utilization"))


def _whole(amount: float | None) -> int | str:
    return "" if amount is None else round(amount)


def synthesis_section(target: Any) -> str:
    """Estimated, counted and placed, side by side, and the clock."""
    target = _mapping(target)
    rows = figures(target)
    columns = [column for column in COLUMNS if any(row[column] != "" for row in rows)]
    return section("After synthesis", table(columns, rows, "resources after synthesis"), clock_said(target))
