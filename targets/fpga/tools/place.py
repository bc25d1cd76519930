"""Place and route by nextpnr: the clock that a design reaches, and what it takes of the part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeml.errors import CheckFailed, EdgemlError

from ..budget import Budget
from .placers import placer_of
from .programs import nice, run

__all__ = ["overfull", "place_and_route"]

_PLACE_SECONDS = 3600.0
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
    netlist: str, budget: Budget, folder: Path, constraints: str = "", *, pack: bool = True
) -> dict[str, Any]:
    """nextpnr on a netlist in `folder`: the clock it reaches, what it uses, and, with pins, the bitstream's name.

    Gives `fmax_mhz`; `utilization`, {"used", "available"} by nextpnr's names of cells; `cells`, the same by the names
    of a part's budget (on iCE40, `luts` are logic cells: a lookup table, a carry, a flip-flop, or all three).
    constraints : a file in `folder` with the pins; "" leaves them to nextpnr, and no bitstream is made.
    pack : whether a bitstream is made where there are pins.
    Raises CheckFailed where the design takes more than the part has, naming what and by how much.
    """
    stem, placer = netlist.removesuffix(".json"), placer_of(budget)
    report, log = f"{stem}_report.json", f"{stem}_nextpnr.log"
    command = placer.command(budget, netlist, constraints, stem)
    try:
        run(nice(command), folder, _PLACE_SECONDS, "nextpnr")
    except EdgemlError as error:
        path = folder / log
        _refuse_overfull(path.read_text(encoding="utf-8", errors="replace") if path.is_file() else "", budget, error)
        raise
    content = json.loads((folder / report).read_text(encoding="utf-8"))
    clocks = [float(entry["achieved"]) for entry in content.get("fmax", {}).values()]
    if not clocks:
        raise EdgemlError("nextpnr", "reports no clock", "Look at the log with --debug")
    pack = pack and bool(constraints)
    if pack:
        run(nice(placer.pack(budget, stem, folder)), folder, _PLACE_SECONDS, "bitstream packer")
    used = {
        name: {"used": int(entry["used"]), "available": int(entry["available"])}
        for name, entry in sorted(content.get("utilization", {}).items())
        if entry["used"]
    }
    return {
        "tool": "nextpnr",
        "fmax_mhz": round(min(clocks), 2),
        "device": budget.device,
        "cells": _cells(used),
        "utilization": used,
        **({"bitstream": f"{stem}{placer.suffix}"} if pack else {}),
    }


def _cells(utilization: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {key: dict(utilization[n]) for key, names in _RESOURCES.items() for n in names if n in utilization}


def _refuse_overfull(log: str, budget: Budget, error: EdgemlError) -> None:
    if over := overfull(log):
        said = ", ".join(f"{used:,} of {have:,} {name} ({used - have:,} too many)" for name, used, have in over)
        where = f"nextpnr, part {budget.part or budget.device}"
        raise CheckFailed(where, f"the design was estimated to fit and does not: it takes {said}", _REMEDY) from error
