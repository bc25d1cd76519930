"""A bitstream for a board: the UART top with the board's pins, at the board's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeml.errors import CheckFailed

from ..board import Board
from ..budget import Budget
from ..design import Built
from ..tops.board_top import black_boxes
from ..tops.uart import UartTop
from .place import place_and_route, reached
from .placers import placer_of
from .synthesize import cells_of, lookup_tables, summary

__all__ = ["bitstream", "check_clock"]

_FASTER = "--placer-seeds N tries more placements; --architecture folded or fewer bits may make it faster"


def bitstream(
    built: Built,
    top: UartTop,
    board: Board,
    budget: Budget,
    folder: Path,
    *,
    seeds: int = 1,
    announce: Callable[[str], None] = lambda stage: None,
    remark: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Synthesize, place and route the top for a board, in `folder`; what `place_and_route` gives, and `counted`: cells
    of the whole top, core included, as yosys counts them.

    seeds : placements that are tried at most until one reaches the board's clock. `announce` is told what begins,
    `remark` what took how long. CheckFailed where the top takes more than the part has, or does not reach the board's
    clock: no bitstream that works is to be had of it then.
    """
    boxes = black_boxes(board)
    for name, content in {**built.files, **top.files, **boxes}.items():
        (folder / name).write_bytes(content)
    netlist = f"{top.outermost}.json"
    sources = (*(name for name in built.sources if name != f"{built.top}.v"), *top.sources)
    announce(f"yosys: the UART top for {board.name}")
    begun = time.monotonic()
    cells = cells_of(
        *(folder, sources, top.outermost, budget.family.synthesis),
        extra=f"{budget.family.pads} write_json {netlist};",
        boxes=tuple(boxes),
    )
    placer_of(budget).mend(folder / netlist)
    remark(f"yosys took {time.monotonic() - begun:.0f} s for the UART top")
    announce(f"nextpnr: place and route on {board.name}")
    begun = time.monotonic()
    wanted = board.design_hz / 1e6
    placed = place_and_route(netlist, budget, folder, top.constraints, wanted_mhz=wanted, seeds=seeds)
    seconds = time.monotonic() - begun
    remark(f"nextpnr took {seconds:.0f} s: {reached(placed)}, its clock has {wanted:g} MHz")
    check_clock(placed["fmax_mhz"], board)
    found = summary(cells, budget.family)
    return {**placed, "counted": {**found, "luts": lookup_tables(found, budget.family)}}


def check_clock(reached_mhz: float, board: Board) -> None:
    """CheckFailed where a placed design does not work at the board's clock."""
    if reached_mhz * 1e6 < board.design_hz:
        problem = f"the clock is {board.design_hz / 1e6:g} MHz, and the design works up to {reached_mhz:g} MHz"
        raise CheckFailed(f"board {board.name}", problem, _FASTER)
