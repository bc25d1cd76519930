"""Place and route by nextpnr: the clock that a design reaches, and what it takes of the part."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeml.errors import CheckFailed, EdgemlError, ToolFailed
from edgeml.system.time_limit import TimedOut, seconds_for, time_limit

from ..budget import Budget
from .placers import placer_of
from .programs import nice, run

__all__ = ["overfull", "place_and_route", "reached"]

_PLACE_SECONDS = 3600.0
_CLOSE = 0.8
"""Other seeds are rarely a quarter faster: below this share of the clock no further one is tried."""
_USED = re.compile(r"^Info:\s+(\w+):\s*(\d+)\s*/\s*(\d+)\s+\d+%$", re.MULTILINE)
_RESOURCES = {
    "luts": ("TRELLIS_COMB", "ICESTORM_LC", "OXIDE_COMB", "LUT4", "CPE_LT"),
    "flip_flops": ("TRELLIS_FF", "OXIDE_FF", "DFF", "CPE_FF"),
    "block_rams": ("DP16KD", "ICESTORM_RAM", "OXIDE_EBR", "DP8KC", "BSRAM", "RAM_HALF"),
    "dsps": ("MULT18X18D", "ICESTORM_DSP", "MULT18_CORE", "MULT18X18"),
}
_REMEDY = "Use --option goal=area, allow more clocks (--option frames_per_second=…), fewer bits, or a larger part"


def overfull(log: str) -> list[tuple[str, int, int]]:
    """(resource, used, available) of what nextpnr's log says is used more than there is."""
    found = ((name, int(used), int(available)) for name, used, available in _USED.findall(log))
    return [entry for entry in found if entry[1] > entry[2]]


def place_and_route(
    netlist: str,
    budget: Budget,
    folder: Path,
    constraints: str = "",
    *,
    wanted_mhz: float | None = None,
    seeds: int = 1,
    pack: bool = True,
) -> dict[str, Any]:
    """nextpnr on a netlist in `folder`: the clock it reaches, what it uses, and, with pins, the bitstream's name.

    It places by seed 1, and where that misses `wanted_mhz` (None: the part's clock) by 2, 3 … up to `seeds`, until one
    reaches it; the fastest is kept. Further seeds are not tried where the fastest is so far off that no seed makes up
    for it (`_CLOSE`), nor beyond the processor time that one call of a tool may take, all of them together.

    Gives `fmax_mhz`; `seed`, of which placement; `seeds_tried`; `utilization`, {"used", "available"} by nextpnr's names
    of cells; `cells`, the same by the names of a part's budget (on iCE40, `luts` are logic cells: a lookup table, a
    carry, a flip-flop, or all three); `bitstream`, its name, where one is made.
    constraints : a file in `folder` with the pins; "" leaves them to nextpnr, and no bitstream is made.
    pack : whether a bitstream is made where there are pins.
    Raises CheckFailed where the design takes more than the part has, naming what and by how much; ToolFailed where no
    seed is placed, TimedOut where the first is not within its limit.
    """
    stem, placer = netlist.removesuffix(".json"), placer_of(budget)
    wanted = budget.clock_mhz if wanted_mhz is None else wanted_mhz
    best, tried = _best_placement(netlist, budget, folder, constraints, wanted, seeds)
    _rename(folder, best.stem, stem)
    content, pack = best.report, pack and bool(constraints)
    if pack:
        run(nice(placer.pack(budget, stem, folder)), folder, _PLACE_SECONDS, "bitstream packer")
    used = {
        name: {"used": int(entry["used"]), "available": int(entry["available"])}
        for name, entry in sorted(content.get("utilization", {}).items())
        if entry["used"]
    }
    return {
        "tool": "nextpnr",
        "fmax_mhz": best.clock,
        "seed": best.seed,
        "seeds_tried": tried,
        "device": budget.device,
        "cells": _cells(used),
        "utilization": used,
        **({"bitstream": f"{stem}{placer.suffix}"} if pack else {}),
    }


def reached(placed: Mapping[str, Any]) -> str:
    """The clock that a design was placed at, in words, and by which seed if several were tried."""
    said, tried = f"{placed['fmax_mhz']:g} MHz", placed["seeds_tried"]
    return said if tried == 1 else f"{said} by seed {placed['seed']}, of {tried} tried"


@dataclass(frozen=True)
class _Placement:
    """What nextpnr made by a seed: the clock in MHz, its report, and the stem of its files."""

    seed: int
    clock: float
    report: dict[str, Any]
    stem: str


def _best_placement(
    netlist: str, budget: Budget, folder: Path, constraints: str, wanted: float, seeds: int
) -> tuple[_Placement, int]:
    """The first placement that reaches the clock, or the fastest; and how many were tried."""
    limit, begun = seconds_for(_PLACE_SECONDS), _spent_by_tools()
    best: _Placement | None = None
    failed: ToolFailed | None = None
    for seed in range(1, seeds + 1):
        left = limit - (_spent_by_tools() - begun)
        if seed > 1 and (left <= 0 or (best is not None and best.clock < _CLOSE * wanted)):
            return _found(best, failed), seed - 1
        try:
            with time_limit(left if seed > 1 else limit):
                placement = _placement(netlist, budget, folder, constraints, seed)
        except TimedOut:
            if best is None:
                raise
            return best, seed
        except ToolFailed as error:
            failed = error
            continue
        if best is None or placement.clock > best.clock:
            best = placement
        if best.clock >= wanted:
            return best, seed
    return _found(best, failed), seeds


def _found(best: _Placement | None, failed: ToolFailed | None) -> _Placement:
    if best is not None:
        return best
    raise failed or EdgemlError("nextpnr", "placed nothing", "Look at the log with --debug")


def _placement(netlist: str, budget: Budget, folder: Path, constraints: str, seed: int) -> _Placement:
    """The placement of a seed; CheckFailed where the design does not fit, ToolFailed where it is not placed."""
    stem = f"{netlist.removesuffix('.json')}_seed{seed}"
    command = placer_of(budget).command(budget, netlist, constraints, stem, seed)
    try:
        run(nice(command), folder, _PLACE_SECONDS, "nextpnr")
    except EdgemlError as error:
        path = folder / f"{stem}_nextpnr.log"
        _refuse_overfull(path.read_text(encoding="utf-8", errors="replace") if path.is_file() else "", budget, error)
        raise
    content = json.loads((folder / f"{stem}_report.json").read_text(encoding="utf-8"))
    clocks = [float(entry["achieved"]) for entry in content.get("fmax", {}).values()]
    if not clocks:
        raise EdgemlError("nextpnr", "reports no clock", "Look at the log with --debug")
    return _Placement(seed, round(min(clocks), 2), content, stem)


def _rename(folder: Path, stem: str, to: str) -> None:
    """Files of one stem become those of another."""
    for path in folder.glob(f"{stem}[._]*"):
        path.replace(folder / f"{to}{path.name.removeprefix(stem)}")


def _spent_by_tools() -> float:
    """Processor seconds of the programs that have ended, of all that this process ran."""
    times = os.times()
    return times.children_user + times.children_system


def _cells(utilization: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {key: dict(utilization[n]) for key, names in _RESOURCES.items() for n in names if n in utilization}


def _refuse_overfull(log: str, budget: Budget, error: EdgemlError) -> None:
    if over := overfull(log):
        said = ", ".join(f"{used:,} of {have:,} {name} ({used - have:,} too many)" for name, used, have in over)
        where = f"nextpnr, part {budget.part or budget.device}"
        raise CheckFailed(where, f"the design was estimated to fit and does not: it takes {said}", _REMEDY) from error
