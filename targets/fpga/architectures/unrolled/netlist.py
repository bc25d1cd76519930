"""Combinational logic with constant weights, as a list of cells whose outputs are single bits.

Every bit knows its logic depth: the cells between it and the inputs. Registers are placed later, by depth, so the
same netlist can be purely combinational or pipelined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Bit", "Cell", "CellKind", "Netlist"]


class CellKind(Enum):
    """What a cell computes from its inputs (all unsigned)."""

    COUNT = "count"
    """Inputs are bits of weights 1 and 2 (`shape` = how many of each): their sum, at most 6 bits in."""
    SMALL_ADD = "small_add"
    """Two numbers of `shape` = (bits of a, bits of b, shift of b): a + (b << shift), in logic; at most 6 bits in."""
    ADD = "add"
    """The same by a carry chain, any width."""
    ADD3 = "add3"
    """Three rows of `shape` = (width,) bits each: their sum modulo 2^outputs, by one carry chain."""
    REACHED = "reached"
    """A number and constants (`shape`): base code of how many constants it reaches, see `threshold`."""
    TABLE = "table"
    """Any function: output k is bit x of `shape[k]`, x the inputs' number; at most 8 bits in."""


@dataclass(frozen=True)
class Bit:
    """A wire: output `index` of `cell` (−1: bit `index` of the input; −2: the constant `index`), maybe inverted."""

    cell: int
    index: int
    inverted: bool = False

    def __invert__(self) -> Bit:
        return Bit(-2, 1 - self.index) if self.cell == -2 else Bit(self.cell, self.index, not self.inverted)


ZERO, ONE = Bit(-2, 0), Bit(-2, 1)


@dataclass
class Cell:
    """One cell: its inputs in order, lowest weight first, and how many output bits it has."""

    kind: CellKind
    inputs: tuple[Bit, ...]
    shape: tuple[int, ...]
    outputs: int
    depth: int
    note: str = ""
    spread: int = 0
    """Depth that its outputs take to reach many cells far away: registers without logic, if there are any."""


@dataclass
class Netlist:
    """Cells in an order in which each can be computed."""

    input_bits: int
    cells: list[Cell] = field(default_factory=list)

    def depth_of(self, bit: Bit) -> int:
        """Its logic depth: cells on the longest path from the inputs to this bit, and the depth of its way."""
        return self.cells[bit.cell].depth + self.cells[bit.cell].spread if bit.cell >= 0 else 0

    def spread(self, bits: Sequence[Bit]) -> None:
        """Let the outputs of these bits' cells be one deeper, to reach what comes next: all of a following layer."""
        for bit in bits:
            if bit.cell >= 0:
                self.cells[bit.cell].spread = 1

    def add(
        self, kind: CellKind, inputs: Sequence[Bit], shape: Sequence[int], outputs: int, note: str = ""
    ) -> list[Bit]:
        """A new cell; its output bits, lowest weight first."""
        depth = 1 + max((self.depth_of(bit) for bit in inputs), default=0)
        self.cells.append(Cell(kind, tuple(inputs), tuple(shape), outputs, depth, note))
        return [Bit(len(self.cells) - 1, index) for index in range(outputs)]

    def place_of_used(self, ends: Iterable[Bit]) -> dict[int, int]:
        """The cells that these bits depend on: for each its place among them."""
        used = {bit.cell for bit in ends}
        for index in range(len(self.cells) - 1, -1, -1):
            if index in used:
                used.update(bit.cell for bit in self.cells[index].inputs)
        return {index: place for place, index in enumerate(sorted(used - {-1, -2}))}

    @property
    def depth(self) -> int:
        """Largest logic depth."""
        return max((cell.depth for cell in self.cells), default=0)
