"""What one cell of a netlist is made of, and what cells cost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

from ...budget import FAMILIES, Family
from ...estimate.constants import UNROLLED
from ...estimate.costs import constants_of, cost_of
from ...estimate.parts import Parts
from .netlist import Cell, CellKind

__all__ = ["add_cell", "luts_of"]

_SIX_INPUTS = FAMILIES["xcup"]
"""Netlists are made for lookup tables of six inputs, whatever the part: the same network gives the same netlist."""

_PAST_SIX_BITS = 1.6
"""Lookup tables of a function of seven bits over those of one of six: of two designs with functions of 8 bits."""


_FROM_FOUR_INPUTS = {"ice40": 1.62, "ecp5": 1.2}
"""Lookup tables that yosys makes of a function of five or six bits over those of it cut by one or two bits: of designs
of layers of functions."""


def add_cell(parts: Parts, cell: Cell, family: Family) -> None:
    """Add the logic of a cell: see `estimate.unrolled_amounts`."""
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
    elif cell.kind is CellKind.TABLE and len(cell.inputs) <= 6 and family.name in _cut(cell):
        if len(cell.inputs) <= 4:
            parts.luts += cell.outputs
            return
        multiplexers = family.name == "ecp5"
        cut = sum(_tables_of_four(table, len(cell.inputs), multiplexers=multiplexers) for table in cell.shape)
        parts.luts += _FROM_FOUR_INPUTS[family.name] * cut
    else:
        # Parts of large tables are alike, and the multiplexers that choose among them are no lookup tables.
        outputs = cell.outputs * _PAST_SIX_BITS ** max(len(cell.inputs) - 6, 0)
        parts.add("narrow" if len(cell.inputs) <= family.lut_inputs else "wide", outputs)


def _cut(cell: Cell) -> tuple[str, ...]:
    """The families on which a table is counted as cut: the outputs of one share little where nothing else chooses."""
    return ("ice40", "ecp5") if cell.outputs == 1 else ("ice40",)


@cache
def _tables_of_four(table: int, inputs: int, *, multiplexers: bool) -> float:
    """Lookup tables of four inputs that one function of five or six takes: one for each function of the last four that
    differs, and those that choose among them unless a part has multiplexers; the best choice of the others."""
    best = float("inf")
    for chosen in combinations(range(inputs), inputs - 4):
        rest = [place for place in range(inputs) if place not in chosen]
        parts: dict[int, int] = {}
        for x in range(1 << inputs):
            number = sum((x >> place & 1) << k for k, place in enumerate(chosen))
            u = sum((x >> place & 1) << k for k, place in enumerate(rest))
            parts[number] = parts.get(number, 0) | (table >> x & 1) << u
        whole = set(parts.values())
        if multiplexers:
            best = min(best, len(whole - {0, 0xFFFF}))
            continue
        different = {min(part, part ^ 0xFFFF) for part in whole} - {0}
        choosing = (len(whole) > 1) + (inputs == 6 and len(different) > 2)
        best = min(best, len(different) + choosing)
    return best


def luts_of(cells: Sequence[Cell], family: Family = _SIX_INPUTS) -> float:
    """Estimated lookup tables of cells, without the registers behind them."""
    parts = Parts()
    for cell in cells:
        add_cell(parts, cell, family)
    return cost_of("", parts, UNROLLED[constants_of(family)]).luts
