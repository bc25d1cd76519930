"""What an unrolled design is made of: the cells of its netlist and the registers between them."""

from __future__ import annotations

from collections.abc import Iterable

from ...budget import Family
from ...estimate.memory import add_memory
from ...estimate.parts import Parts, counter_bits
from .cell_amounts import add_cell
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


def unrolled_amounts(logic: Logic, family: Family, stages: Stages) -> dict[str, Parts]:
    """What each layer is made of.

    narrow : outputs of cells whose inputs fit one lookup table; wide : of others. carry : bits of carry chains.
    compare : comparisons with a constant, in lookup tables. delay : shift registers (Xilinx). ram, select : the FIFO
    of results. core : its control.
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
            add_cell(found[layer], logic.netlist.cells[index], family)
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
