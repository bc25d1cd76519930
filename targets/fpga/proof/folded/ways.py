"""Where a value comes from that is only passed on: through choices that control makes, and one register."""

from __future__ import annotations

from collections.abc import Sequence

from edgeml.errors import CheckFailed

from .evaluation import Evaluation, taken_by
from .netlist import Netlist

__all__ = ["Ways"]


class Ways:
    """Values followed back from the clock `then` to the clock before, `now`.

    A choice counts only where control alone settles it: its select must follow from what the evaluations are given.
    """

    def __init__(self, netlist: Netlist, now: Evaluation, then: Evaluation) -> None:
        self.netlist, self.now, self.then = netlist, now, then

    def require(self, bits: Sequence[int], sources: Sequence[int], rows: int, what: str) -> None:
        """That in these rows each bit of the clock `then` is the source bit of the clock `now`."""
        for bit, source in zip(bits, sources, strict=True):
            self._only(bit, source, rows, self.then, what)

    def require_now(self, bits: Sequence[int], sources: Sequence[int], rows: int, what: str) -> None:
        """That in these rows each bit is the source bit, both of the clock `now`."""
        for bit, source in zip(bits, sources, strict=True):
            self._only(bit, source, rows, self.now, what)

    def _only(self, bit: int, source: int, rows: int, clock: Evaluation, what: str) -> None:
        """Follow a bit through the choices made in some rows; every end must be the source."""
        waiting = [(bit, rows, clock)]
        while waiting:
            bit, rows, clock = waiting.pop()
            if not rows or (bit == source and clock is self.now):
                continue
            cell, _, place = self.netlist.driver.get(bit, (None, "", 0))
            if cell is not None and cell.kind == "$dff" and clock is self.then:
                if cell.ports["CLK"] != self.netlist.ports["clk"] or not cell.parameters["CLK_POLARITY"]:
                    raise CheckFailed(what, "pass a register that does not follow the rising clock")
                waiting.append((cell.ports["D"][place], rows, self.now))
            elif cell is not None and cell.kind == "$pos":
                waiting.append((taken_by(cell, "Y", place)[0], rows, clock))
            elif cell is not None and cell.kind == "$mux":
                select = clock.rows(cell.ports["S"])[0]
                waiting.append((cell.ports["A"][place], rows & ~select, clock))
                waiting.append((cell.ports["B"][place], rows & select, clock))
            else:
                where = f"{self.netlist.name_of(bit)} instead of {self.netlist.name_of(source)}"
                raise CheckFailed(what, f"come from {where}")
