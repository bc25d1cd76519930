"""What an unrolled design is made of: the cells of its netlist and the registers between them."""

from __future__ import annotations

from collections.abc import Iterable

from ...budget import Family
from ...estimate.memory import add_memory
from ...estimate.parts import Parts, counter_bits
from .cell_amounts import add_cell
from .netlist import Bit, Cell, CellKind
from .network_logic import Logic
from .rtl import Registers
from .stages import Stages

__all__ = ["unrolled_amounts"]

_SHORTEST_SHIFT_REGISTER = 3


def _delays(taps: Iterable[int]) -> tuple[int, int]:
    """(shift registers, flip-flops that remain) of a bit that is used after so many clocks each."""
    shift_registers = registers = before = 0
    for tap in sorted(set(taps)):
        length = tap - before
        if length >= _SHORTEST_SHIFT_REGISTER:
            shift_registers += 1
        else:
            registers += length
        before = tap
    return shift_registers, registers


def _is_constant(bit: Bit | None) -> bool:
    return bit is None or bit.cell == -2


def _add_mapped(parts: Parts, cell: Cell, family: Family) -> None:
    """Add the logic of a cell as synthesis maps it. A carry chain takes no lookup table where one of its summands is a
    constant, on parts whose carries are beside the tables, and equal places of a chain share one."""
    if cell.kind is CellKind.ADD:
        a, b, _ = cell.shape
        sides = (list(cell.inputs[:a]), list(cell.inputs[a : a + b]))
        padded: list[list[Bit | None]] = [
            [*side[: cell.outputs], *[None] * (cell.outputs - len(side))] for side in sides
        ]
        places = list(zip(*padded, strict=True))
        both = {place for place in places if not any(map(_is_constant, place))}
        parts.add("carry", len(both))
        parts.add("pass", sum(_is_constant(x) != _is_constant(y) for x, y in places))
        parts.add("chain", 1.0)
    elif cell.kind is CellKind.ADD3:
        parts.add("carry3", cell.outputs)
    elif cell.kind is CellKind.REACHED:
        counted = Parts()
        add_cell(counted, cell, family)
        parts.add("compare", counted.logic["compare"] - 0.5 * cell.outputs)
        parts.add("code", cell.outputs)
    elif cell.kind is CellKind.TABLE:
        counted = Parts()
        add_cell(counted, cell, family)
        parts.luts += counted.luts
        parts.add("table", counted.logic.get("narrow", 0.0))
        parts.add("wide_table", counted.logic.get("wide", 0.0))
    else:
        add_cell(parts, cell, family)


def unrolled_amounts(logic: Logic, family: Family, stages: Stages) -> dict[str, Parts]:
    """What each layer is made of.

    narrow : outputs of counts and small sums whose inputs fit one lookup table; wide : of others. table, wide_table :
    the same of functions given as tables. carry, pass : places of carry chains
    that add two bits, and one bit to a constant; chain : such chains; carry3 : places that add three bits.
    compare, code : comparisons with a constant, in lookup tables, and bits of how many are reached. delay : shift
    registers (Xilinx). ram, select : the FIFO of results. core : its control.
    """
    registers = Registers(logic, stages)
    taps: dict[tuple[int, int], set[int]] = {}
    for cell, stage in zip(logic.netlist.cells, stages.of, strict=True):
        for bit in cell.inputs:
            if bit.cell != -2:
                delay = stage - registers.born(bit.cell)
                taps.setdefault((bit.cell, bit.index), set()).add(delay)
    for bits in logic.outputs:
        for bit in bits:
            if bit.cell != -2:
                taps.setdefault((bit.cell, bit.index), set()).add(registers.last - registers.born(bit.cell))
    shifts = family.name in ("xc7", "xcup")
    found: dict[str, Parts] = {}
    owner: dict[int, str] = {-1: next(iter(logic.layer_cells))}
    for layer, cells in logic.layer_cells.items():
        found[layer] = Parts()
        for index in cells:
            owner[index] = layer
            _add_mapped(found[layer], logic.netlist.cells[index], family)
    for (source, _), delays in taps.items():
        # The cells that turn outputs into elements belong to no layer but stand behind the last.
        parts = found[owner.get(source, next(reversed(found)))]
        if shifts:
            shift_registers, flip_flops = _delays(delays - {0})
            parts.add("delay", shift_registers)
            parts.flip_flops += flip_flops
        else:
            parts.flip_flops += max(delays)
    last = found[next(reversed(found))]
    latency = max(registers.last, 1)
    last.flip_flops += latency
    last.add("core", 1.0)
    _add_fifo_of_results(last, latency, logic, family)
    return found


def _add_fifo_of_results(parts: Parts, latency: int, logic: Logic, family: Family) -> None:
    width = logic.output_element.bits * len(logic.outputs)
    depth = latency + 2
    counters = 2 * counter_bits(depth) + 2 * depth.bit_length()
    parts.flip_flops += counters
    parts.add("core", counters / 12.0)
    add_memory(parts, depth, width, 1, family)
