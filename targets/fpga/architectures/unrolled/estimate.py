"""What an unrolled design is made of: what synthesis leaves of its netlist, and the registers between the cells."""

from __future__ import annotations

from collections.abc import Iterable

from ...budget import Family
from ...estimate.memory import add_memory
from ...estimate.parts import Parts, counter_bits
from .kept_bits import KeptBits, kept_bits
from .mapped_cells import add_mapped
from .network_logic import Logic
from .rtl import result_places
from .stages import Stages

__all__ = ["FIFO_FLAGS", "graph_amounts", "results_in_block_ram", "unrolled_amounts"]

_SHORTEST_SHIFT_REGISTER = 3
FIFO_FLAGS = 2
"""Registers of the FIFO of results beside its counters: whether it has room, and a value."""


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
    """What each layer is made of: its graph (`graph_amounts`), and of the last one the FIFO of results.

    select, mux : that FIFO: what passes block RAMs by, choices among registers. core : its control.
    """
    kept = kept_bits(logic, stages)
    found = graph_amounts(kept, logic, family)
    last = found[next(reversed(found))]
    last.flip_flops += max(stages.clocks, 1)
    last.add("core", 1.0)
    _add_fifo_of_results(last, stages, kept.ends, logic, family)
    return found


def results_in_block_ram(logic: Logic, family: Family, stages: Stages) -> bool:
    """Whether the FIFO of results is block RAM."""
    parts = Parts()
    width = logic.output_element.bits * len(logic.outputs)
    add_memory(parts, result_places(stages), width, 1, family)
    return parts.block_rams > 0


def graph_amounts(kept: KeptBits, logic: Logic, family: Family) -> dict[str, Parts]:
    """What each layer's cells and the registers behind them are made of; the first one's are those of the input too.

    narrow : outputs of counts and small sums whose inputs fit one lookup table; wide : lookup tables of others. table,
    wide_table : the same of functions given as tables. carry, pass : places of carry chains that add two bits, and one
    bit to a constant (ECP5: tables of all cells of the chain); chain : such chains; short : places of sums that ECP5
    makes without one; carry3 : lookup tables in front of
    and in chains that add three bits. compare : lookup tables of comparisons with constants. delay : shift registers
    (Xilinx).
    """
    shifts = family.name in ("xc7", "xcup")
    found: dict[str, Parts] = {layer: Parts() for layer in logic.layer_cells}
    owner = {-1: next(iter(found))}
    for layer, cells in logic.layer_cells.items():
        owner.update(dict.fromkeys(cells, layer))
    # The cells that turn outputs into elements belong to no layer but stand behind the last.
    end = next(reversed(found))
    for cell in kept.cells:
        add_mapped(found[owner.get(cell.index, end)], cell, family)
    for bit, delays in kept.taps.items():
        parts = found[owner.get(bit.cell, end)]
        if shifts:
            shift_registers, flip_flops = _delays(delays - {0})
            parts.add("delay", shift_registers)
            parts.flip_flops += flip_flops
        else:
            parts.flip_flops += max(delays)
    return found


def _add_fifo_of_results(parts: Parts, stages: Stages, differing: int, logic: Logic, family: Family) -> None:
    width = logic.output_element.bits * len(logic.outputs)
    depth = result_places(stages)
    counters = 2 * counter_bits(depth) + 2 * depth.bit_length()
    parts.flip_flops += counters + FIFO_FLAGS + 1  # and whether a value was just taken
    parts.add("core", counters / 12.0)
    add_memory(parts, depth, width, 1, family, used=differing, choice="mux")
    if stages.straight:
        parts.luts += differing + 1  # past the FIFO: a choice for each bit, and whether a result comes
