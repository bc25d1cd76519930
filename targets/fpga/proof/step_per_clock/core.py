"""A core as yosys reads it: its clocks, by induction, and where each bit of its buses comes from.

A frame is taken in a clock with `take`. Register `going` keeps in which clocks that was: its bits are the marks that
all units go by. Register `rest` keeps frames `interval` clocks apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.evaluation import Evaluation
from ..folded.induction import Steps, compare, next_values, reset_from_anything
from ..folded.netlist import Cell, Modules, Netlist
from .blocks import prove_delay

__all__ = ["Core", "Origin"]

_MOST_INTERVAL = 2**12


@dataclass(frozen=True)
class Origin:
    """Where a bit of a bus comes from.

    Parameters
    ----------
    cell : name of the instance that gives it; empty for the core's input. place : of the bit at its port. delay :
    clocks since then. marked : the clocks since a frame was taken in which alone it is passed on; None without a gate.
    """

    cell: str
    place: int
    delay: int
    marked: int | None = None


class Core:
    """The core's cells with all instances of modules kept.

    name : of its network. marks : how many clocks ago a frame was taken when a bit is 1. interval : clocks that frames
    are apart at least. rested : clocks behind a reset until one may be taken. used : instances whose part in the core
    is known.
    """

    def __init__(self, modules: Modules, name: str) -> None:
        self.modules, self.name = modules, name.removesuffix("_core")
        self.netlist = Netlist(modules, name, keep={modules.own_name(each) for each in modules.content})
        self.cells = {cell.name: cell for cell in self.netlist.cells if cell.module}
        for cell in self.cells.values():
            for port in ("clk", "rst"):
                if port in cell.ports and cell.ports[port] != self.netlist.ports[port]:
                    raise CheckFailed(f"instance {cell.name}", f"has another {port} than the core")
        self.results = self.cell("results", "edgeml_fifo")
        self.marks: dict[int, int] = {}
        self.interval, self.rested = 1, 0
        self.used: set[str] = {"results"}
        self._delays: set[str] = set()
        self._clocks()

    def cell(self, name: str, module: str) -> Cell:
        """An instance of a module. CheckFailed if it is another, or not there."""
        cell = self.cells.get(name)
        if cell is None or cell.kind != module:
            raise CheckFailed(f"instance {name}", f"of {module} is not there")
        return cell

    def take(self, name: str, module: str) -> Cell:
        """As `cell`, of an instance whose part in the core is known from here on."""
        self.used.add(name)
        return self.cell(name, module)

    def inside(self, cell: Cell) -> Netlist:
        """The module of an instance, whole."""
        return Netlist(self.modules, cell.module)

    def mark(self, cell: Cell, port: str) -> int:
        """How many clocks ago a frame was taken when a port of one bit is 1. CheckFailed where it is no mark."""
        (bit,) = cell.ports[port]
        if bit not in self.marks:
            raise CheckFailed(f"instance {cell.name}", f"has a {port} that is not a number of clocks behind a frame")
        return self.marks[bit]

    def _clocks(self) -> None:
        """`take`, `going` and `rest`, from all states that can come and whatever comes."""
        netlist = self.netlist
        (can,), going = self.results.ports["can_reserve"], netlist.word("going")
        (take,) = netlist.word("take")
        rest = netlist.words.get("rest", ())
        anything = {netlist.ports["rst"][0]: 0, take: 1}
        if rest:
            self.interval = int(Evaluation(netlist, 1, anything).numbers(next_values(netlist, rest))[0]) + 1
            anything = {netlist.ports["rst"][0]: 1}
            self.rested = int(Evaluation(netlist, 1, anything).numbers(next_values(netlist, rest))[0])
        if max(self.interval, self.rested + 1) > _MOST_INTERVAL:
            raise CheckFailed("interval", f"is {self.interval} clocks; {_MOST_INTERVAL} are looked at")
        states = max(self.interval, self.rested + 1)
        chosen = np.arange(8 * states)
        waits, reset, valid, free = chosen >> 3, chosen & 1, chosen >> 1 & 1, chosen >> 2 & 1
        steps = Steps({"rest": waits} if rest else {}, {"rst": reset, "in_valid": valid})
        given = steps.given(netlist) | dict(zip((can,), [sum(int(b) << k for k, b in enumerate(free))], strict=True))
        now = Evaluation(netlist, steps.count, given)
        ready = ((waits == 0) & (free == 1)).astype(np.int64)
        compare(now, "in_ready", netlist.ports["in_ready"], ready)
        compare(now, "take", (take,), ready & valid)
        if rest:
            following = np.where(ready & valid, self.interval - 1, np.maximum(waits - 1, 0))
            following = np.where(reset == 1, self.rested, following)
            compare(now, "next rest", next_values(netlist, rest), np.asarray(following, np.int64))
        before = (take, *going)
        for clock, bit in enumerate(next_values(netlist, going)):
            rows = Evaluation(netlist, 4, {before[clock]: 0b1100, netlist.ports["rst"][0]: 0b1010})
            if rows.rows([bit]) != [0b0100]:
                raise CheckFailed(f"going[{clock}]", "is not what was taken so many clocks ago")
        reset_from_anything(netlist, {"going": 0, **({"rest": self.rested} if rest else {})})
        self.marks = {bit: clock for clock, bit in enumerate(before)}

    def origin(self, bit: int) -> Origin:
        """Where a bit comes from, behind delays and at most one gate of a mark. CheckFailed where that is not known."""
        delay, marked = 0, None
        while True:
            if bit in self.netlist.ports["in_data"]:
                return Origin("", self.netlist.ports["in_data"].index(bit), delay, marked)
            if bit not in self.netlist.driver:
                raise CheckFailed(f"signal {self.netlist.name_of(bit)}", "comes from nowhere")
            cell, _port, place = self.netlist.driver[bit]
            if cell.kind == "edgeml_delay":
                bit, delay = cell.ports["in_data"][place], delay + self._delay(cell)
            elif cell.kind == "$mux" and marked is None and not delay and cell.ports["A"][place] == 0:
                marked = self.mark(cell, "S")
                bit = cell.ports["B"][place]
            elif cell.module:
                return Origin(cell.name, place, delay, marked)
            else:
                raise CheckFailed(f"signal {self.netlist.name_of(bit)}", f"comes from a cell of kind {cell.kind}")

    def _delay(self, cell: Cell) -> int:
        clocks = int(cell.parameters["CLOCKS"])
        if cell.name not in self._delays:
            prove_delay(self.inside(cell), clocks)
            self._delays.add(cell.name)
            self.used.add(cell.name)
        return clocks
