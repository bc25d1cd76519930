"""Cells taken apart for clocks that have no time for them in one stage.

A sum of three rows becomes counters and a sum of two rows. A comparison with a constant becomes one of each group of
the number's bits, and what these say of the whole: above, or not below, by the highest group that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from .netlist import ZERO, Bit, Cell, CellKind, Netlist
from .network_logic import Logic
from .value import Value

__all__ = ["with_split_cells"]

_MOST_IN_TABLE = 8
"""Bits of a table, whose size is two to their number."""


def with_split_cells(logic: Logic, is_split: Callable[[int, Cell], bool], table_inputs: int) -> Logic:
    """The same logic with some of its sums of three rows and comparisons taken apart.

    is_split : of a cell's place and the cell, whether it is. table_inputs : bits of a group that is compared by itself.
    """
    netlist = Netlist(logic.netlist.input_bits)
    stands: dict[tuple[int, int], Bit] = {}
    starts = []

    def moved(bits: Iterable[Bit]) -> list[Bit]:
        found = []
        for bit in bits:
            now = stands.get((bit.cell, bit.index), Bit(bit.cell, bit.index))
            found.append(~now if bit.inverted else now)
        return found

    for index, cell in enumerate(logic.netlist.cells):
        starts.append(len(netlist.cells))
        inputs = moved(cell.inputs)
        if is_split(index, cell) and cell.kind is CellKind.ADD3:
            made = _sum_of_three(netlist, cell, inputs)
        elif is_split(index, cell) and cell.kind is CellKind.REACHED:
            made = _reached(netlist, cell, inputs, table_inputs)
        else:
            made = _again(netlist, cell, inputs)
        stands.update({(index, place): bit for place, bit in enumerate(made)})
    starts.append(len(netlist.cells))

    def value(old: Value | None) -> Value | None:
        return old if old is None else replace(old, bits=tuple(moved(old.bits)))

    cells = {layer: range(starts[own.start], starts[own.stop]) for layer, own in logic.layer_cells.items()}
    values = {name: [value(each) for each in made] for name, made in logic.values.items()}
    outputs = [moved(bits) for bits in logic.outputs]
    return Logic(netlist, logic.input_element, logic.output_element, outputs, cells, values)


def _again(netlist: Netlist, cell: Cell, inputs: list[Bit]) -> list[Bit]:
    """The cell as it is."""
    made = netlist.add(cell.kind, inputs, cell.shape, cell.outputs, cell.note)
    netlist.cells[-1].spread = cell.spread
    return made


def _sum_of_three(netlist: Netlist, cell: Cell, inputs: list[Bit]) -> list[Bit]:
    """Three rows modulo 2^outputs: a counter for each column of three bits, then a carry chain."""
    (width,) = cell.shape
    rows: tuple[list[Bit], list[Bit]] = ([], [])
    carry = ZERO
    for column in range(width):
        bits = [bit for bit in inputs[column::width] if bit != ZERO]
        if len(bits) < 3 and carry == ZERO:
            bits += [ZERO] * (2 - len(bits))
            rows[0].append(bits[0])
            rows[1].append(bits[1])
            continue
        if len(bits) == 1:
            total, following = bits[0], ZERO
        elif bits:
            count = [*netlist.add(CellKind.COUNT, bits, (len(bits), 0), 2, cell.note)]
            total, following = count
        else:
            total, following = ZERO, ZERO
        rows[0].append(total)
        rows[1].append(carry)
        carry = following
    made = netlist.add(CellKind.ADD, [*rows[0], *rows[1]], (width, width, 0), cell.outputs, cell.note)
    netlist.cells[-1].spread = cell.spread
    return made


def _reached(netlist: Netlist, cell: Cell, inputs: list[Bit], table_inputs: int) -> list[Bit]:
    """How many constants a number reaches: each compared group by group."""
    flags = [_at_least(netlist, inputs, level, table_inputs, f"{cell.note}, {level}") for level in cell.shape]
    if len(flags) == 1:
        return flags
    # Bit j of the count changes whenever the count passes a multiple of 2^j.
    parities = [flags[(1 << j) - 1 :: 1 << j] for j in range(cell.outputs)]
    return [_odd(netlist, each, table_inputs, cell.note) for each in parities]


def _odd(netlist: Netlist, bits: list[Bit], group: int, note: str) -> Bit:
    """Whether an odd number of bits is 1: of more than a table takes, a tree of groups of so many."""
    while len(bits) > _MOST_IN_TABLE:
        groups = [bits[start : start + group] for start in range(0, len(bits), group)]
        bits = [_odd(netlist, each, group, note) for each in groups]
    if len(bits) == 1:
        return bits[0]
    table = sum((x.bit_count() & 1) << x for x in range(2 ** len(bits)))
    return netlist.add(CellKind.TABLE, bits, [table], 1, note)[0]


def _at_least(netlist: Netlist, bits: list[Bit], level: int, group: int, note: str) -> Bit:
    """Whether a number is at least `level`: a tree over groups of `group` bits, each (above, not below)."""
    # Bits below the last one of the level say nothing.
    zeros = min((level & -level).bit_length() - 1, len(bits) - 1) if level else 0
    bits, level = bits[zeros:], level >> zeros
    said: list[list[Bit]] = []
    for start in range(0, len(bits), group):
        own = bits[start : start + group]
        least = level >> start
        least = least if start + group >= len(bits) else least & (2 ** len(own) - 1)
        tables = [sum((x >= least + more) << x for x in range(2 ** len(own))) for more in (1, 0)]
        said.append(netlist.add(CellKind.TABLE, own, tables[1:] if start == 0 else tables, 2 - (start == 0), note))
    while len(said) > 1:
        # Of two neighbours the higher decides, unless it is neither above nor below.
        pairs = [said[k : k + 2] for k in range(0, len(said), 2)]
        said = [_joined(netlist, pair[0], pair[1], note) if len(pair) == 2 else pair[0] for pair in pairs]
    return said[0][-1]


def _joined(netlist: Netlist, low: list[Bit], high: list[Bit], note: str) -> list[Bit]:
    """(above, not below) of two groups; the lowest says whether it is not below alone."""
    inputs = [*low, *high]
    tables = []
    for place in range(len(low)):
        # x : the bits of `low`, then whether the higher group is above, and whether it is not below.
        each = ((x, (x >> place) & 1, (x >> len(low)) & 1, x >> (len(low) + 1)) for x in range(2 ** len(inputs)))
        tables.append(sum((above | (not_below & lower)) << x for x, lower, above, not_below in each))
    return netlist.add(CellKind.TABLE, inputs, tables, len(low), note)
