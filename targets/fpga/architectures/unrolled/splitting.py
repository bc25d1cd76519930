"""Sums of three rows as counters and a sum of two rows, for clocks that have no time for both in one stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .netlist import ZERO, Bit, Cell, CellKind, Netlist
from .network_logic import Logic
from .value import Value

__all__ = ["with_split_sums"]


def with_split_sums(logic: Logic) -> Logic:
    """The same logic in which a carry chain adds two rows at most: three bits of a column are counted before it."""
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
        made = _sum_of_three(netlist, cell, inputs) if cell.kind is CellKind.ADD3 else _again(netlist, cell, inputs)
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
