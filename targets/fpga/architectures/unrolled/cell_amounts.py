"""What one cell of a netlist is made of, and what cells cost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ...budget import FAMILIES, Family
from ...estimate.constants import CELLS
from ...estimate.costs import constants_of, cost_of
from ...estimate.parts import Parts
from .decision_diagram import decision_nodes, decision_nodes_in_order, decision_support
from .netlist import Cell, CellKind

__all__ = ["add_cell", "luts_of", "luts_of_function", "tables_of_four"]

_SIX_INPUTS = FAMILIES["xcup"]
"""Netlists are made for lookup tables of six inputs, whatever the part: the same network gives the same netlist."""

_PAST_SIX_BITS = 1.6
"""Lookup tables of a function of seven bits over those of one of six: of two designs with functions of 8 bits."""


_OF_MULTIPLEXERS = {4: 1, 5: 2, 6: 4}
"""Lookup tables of four inputs of a function of so many bits on ECP5, whose multiplexers join them."""
_PER_NODE, _FREE_NODES = 0.77, 3.7
"""Lookup tables of four inputs on iCE40 of a function of five or six bits: so many for each node of its smallest
decision diagram but the last few. Of 67 functions, weighted sums against thresholds, parities of levels and random
ones, each synthesized by itself: means of a kind are at most 14 % off."""

_LARGE_TABLES = {"six": (0.165, 0.0, 2.0), "ecp5": (0.42, 0.0, 8.0), "ice40": (0.55, 3.7, 24.0)}
"""Lookup tables of a function of seven bits and more: for each node of its decision diagram but so many, and the most
that one of seven bits takes. Of tables of tanh, of weighted sums and of random ones, each synthesized by itself."""


def add_cell(parts: Parts, cell: Cell, family: Family) -> None:
    """Add the logic of a cell: narrow, wide, carry, compare."""
    if cell.kind is CellKind.ADD:
        parts.add("carry", cell.outputs)
    elif cell.kind is CellKind.ADD3:
        parts.add("carry", cell.outputs)
        parts.add("narrow", cell.outputs * (1 if family.lut_inputs == 6 else 2))
    elif cell.kind is CellKind.REACHED:
        width = len(cell.inputs)
        for level in cell.shape:
            # Bits below the lowest one of a constant do not matter.
            used = width - ((level & -level).bit_length() - 1)
            parts.add("compare", max((used - 1) / (family.lut_inputs - 1), 1 / family.lut_inputs))
        parts.add("compare", 0.5 * cell.outputs)
    elif cell.kind is CellKind.TABLE and len(cell.inputs) <= 6 and family.fitted in _cut(cell):
        parts.luts += sum(tables_of_four(table, len(cell.inputs), family.fitted) for table in cell.shape)
    else:
        # Parts of large tables are alike, and the multiplexers that choose among them are no lookup tables.
        outputs = cell.outputs * _PAST_SIX_BITS ** max(len(cell.inputs) - 6, 0)
        parts.add("narrow" if len(cell.inputs) <= family.lut_inputs else "wide", outputs)


def _cut(cell: Cell) -> tuple[str, ...]:
    """The families on which a table is counted as lookup tables of four inputs: on ECP5 outputs of one share some."""
    return ("ice40", "ecp5") if cell.outputs == 1 else ("ice40",)


@cache
def tables_of_four(table: int, inputs: int, family: str) -> float:
    """Lookup tables of four inputs that a function of at most six bits takes."""
    needed = decision_support(table, inputs)
    if needed <= 4:
        return 1.0
    if family == "ecp5":
        return _OF_MULTIPLEXERS[needed]
    return max(_PER_NODE * (decision_nodes(table, inputs) - _FREE_NODES), 1.0)


def luts_of_function(table: int, inputs: int, family: Family) -> float:
    """Lookup tables that a function takes, by itself; bit x of `table`, x the number of its inputs."""
    if inputs <= family.lut_inputs:
        return 1.0
    if inputs <= _SIX_INPUTS.lut_inputs:
        return tables_of_four(table, inputs, family.fitted)
    each, free, most = _LARGE_TABLES["six" if family.lut_inputs == _SIX_INPUTS.lut_inputs else family.fitted]
    luts = each * (decision_nodes_in_order(table, inputs) - free)
    return min(max(luts, 1.0), most * 2.0 ** (inputs - 7))


def luts_of(cells: Sequence[Cell], family: Family = _SIX_INPUTS) -> float:
    """Estimated lookup tables of cells, without the registers behind them."""
    parts = Parts()
    for cell in cells:
        add_cell(parts, cell, family)
    return cost_of("", parts, CELLS[constants_of(family)]).luts
