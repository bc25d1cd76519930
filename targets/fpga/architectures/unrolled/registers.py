"""Which bits of a netlist are kept in registers, for how many stages, and what they are called there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .cells import cell_name, concatenated
from .netlist import Bit
from .network_logic import Logic
from .stages import Stages

__all__ = ["Kept", "Registers"]


@dataclass(frozen=True)
class Kept:
    """A register: its name, its width in bits, and what it takes in every clock."""

    name: str
    width: int
    value: str


class Registers:
    """Which bits must be kept for how many stages, and what they are called there."""

    def __init__(self, logic: Logic, stages: Stages) -> None:
        self.logic = logic
        self.stages = stages
        self.last = stages.clocks
        self.needed: dict[int, dict[int, int]] = defaultdict(dict)
        for cell, stage in zip(logic.netlist.cells, stages.of, strict=True):
            for bit in cell.inputs:
                self._need(bit, stage)
        for bits in logic.outputs:
            for bit in bits:
                self._need(bit, self.last)

    def born(self, source: int) -> int:
        """The stage in which bits of a cell (or of the input, −1) come to be: registers stand at the end of each."""
        return self.stages.of[source] if source >= 0 else 0

    def _need(self, bit: Bit, stage: int) -> None:
        if bit.cell == -2:
            return
        delay = stage - self.born(bit.cell)
        entry = self.needed[bit.cell]
        entry[bit.index] = max(entry.get(bit.index, 0), delay)

    def kept(self, source: int, delay: int) -> list[int]:
        """Indices of the bits of a source that are registered `delay` times, ascending."""
        return sorted(index for index, most in self.needed[source].items() if most >= delay)

    def name(self, bit: Bit, stage: int) -> str:
        """The bit as it stands in a stage."""
        if bit.cell == -2:
            return f"1'b{bit.index}"
        delay = stage - self.born(bit.cell)
        sign = "~" if bit.inverted else ""
        stem = cell_name(bit.cell) if bit.cell >= 0 else "in_data"
        if delay == 0:
            width = self.logic.netlist.cells[bit.cell].outputs if bit.cell >= 0 else self.logic.netlist.input_bits
            return f"{sign}{stem}[{bit.index}]" if width > 1 else f"{sign}{stem}"
        kept = self.kept(bit.cell, delay)
        stem = f"{stem}_d{delay}"
        return f"{sign}{stem}[{kept.index(bit.index)}]" if len(kept) > 1 else f"{sign}{stem}"

    def by_stage(self, sources: Iterable[int] | None = None) -> dict[int, list[Kept]]:
        """The registers at the end of each stage, of some cells (−1: the input) or of all."""
        stages: dict[int, list[Kept]] = defaultdict(list)
        for source in self._sources() if sources is None else sources:
            most = max(self.needed[source].values(), default=0)
            stem = cell_name(source) if source >= 0 else "in_data"
            for delay in range(1, most + 1):
                kept = self.kept(source, delay)
                register = Kept(f"{stem}_d{delay}", len(kept), self.group(source, delay - 1, kept))
                stages[self.born(source) + delay - 1].append(register)
        return stages

    def unused(self, sources: Iterable[int]) -> list[str]:
        """Names of those of some cells (−1: the input) of which a bit is not needed."""
        cells, names = self.logic.netlist.cells, []
        for source in sources:
            total = cells[source].outputs if source >= 0 else self.logic.netlist.input_bits
            if len(self.needed[source]) < total:
                names.append(cell_name(source) if source >= 0 else "in_data")
        return names

    def _sources(self) -> list[int]:
        return [-1, *range(len(self.logic.netlist.cells))]

    def group(self, source: int, delay: int, indices: list[int]) -> str:
        """Bits of a source as one number, as they stand `delay` stages after they came to be."""
        width = self.logic.netlist.cells[source].outputs if source >= 0 else self.logic.netlist.input_bits
        stem = cell_name(source) if source >= 0 else "in_data"
        kept = list(range(width)) if delay == 0 else self.kept(source, delay)
        if indices == kept:
            return stem if delay == 0 else f"{stem}_d{delay}"
        stage = self.born(source) + delay
        return concatenated([self.name(Bit(source, index), stage) for index in indices])
