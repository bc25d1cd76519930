"""What a design is made of: amounts of each kind of logic, and its registers, block RAMs and multipliers, by layer.

The amounts follow the RTL modules one by one; `estimate_constants` says how many lookup tables a unit of each takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..architectures.folded.dense import DenseOperation
from ..architectures.folded.lookup import LookupOperation
from ..architectures.folded.operation import Operation
from ..architectures.folded.plan import Edge, Segment
from ..architectures.folded.requantize import RequantizeOperation
from ..architectures.folded.threshold import ThresholdOperation
from ..architectures.unrolled.build import Logic
from ..architectures.unrolled.emit import Registers
from ..architectures.unrolled.netlist import Cell, CellKind
from ..budget import Family
from ..verilog.text import signed_bits
from .memory import add_memory, add_table
from .parts import Parts, block_rams, multiplier_blocks
from .requantize import add_requantize

__all__ = ["folded_features", "unrolled_features"]

_SHORTEST_SHIFT_REGISTER = 3


def _bits(count: int) -> int:
    """Bits of a counter over so many values."""
    return max((count - 1).bit_length(), 1) if count > 1 else 0


def distinct(columns: int, words: int, bits: int = 1) -> float:
    """How many different columns random memory has that are not the same in all words.

    N = 2^(words · bits) contents, c columns: (N − 2^bits) · (1 − (1 − 1/N)^c).
    """
    if words * bits >= 40:
        return float(columns)
    contents = 2.0 ** (words * bits)
    return (contents - 2.0**bits) * -_power_minus_one(1 - 1 / contents, columns)


def _power_minus_one(base: float, exponent: int) -> float:
    return base**exponent - 1 if base > 0 else -1.0


def _rom(parts: Parts, words: int, columns: int, family: Family) -> None:
    """A memory in logic with a register behind it: tables of its address bits, equal columns once."""
    used = distinct(columns, words)
    parts.flip_flops += used
    if words > 2:
        parts.add("rom", used * max(words / 2**family.lut_inputs, 1.0))


def _fifo(parts: Parts, depth: int, width: int, family: Family) -> None:
    """An `edgeml_fifo`: memory, two indices and two counters."""
    counters = 2 * _bits(depth) + 2 * depth.bit_length()
    parts.flip_flops += counters
    parts.add("stream", counters + 6.0)
    add_memory(parts, depth, width, 1, family)


def _dense(parts: Parts, operation: DenseOperation, family: Family) -> None:
    """An `edgeml_mvu`, from its weight memory to its accumulators."""
    pe, simd = operation.pe, operation.simd
    x_bits, w_bits, width = operation.inputs[0].bits, operation.weight_bits, operation.output.bits
    product, steps = x_bits + w_bits, operation.steps
    clocks = operation.levels // 2
    parts.flip_flops += simd * x_bits + 3 * (clocks + 1) + 1 + pe * width
    counters = _bits(operation.simd_folds) + _bits(operation.beats) + _bits(steps)
    parts.flip_flops += counters
    parts.add("stream", counters + 8.0)
    word = pe * simd * w_bits
    if operation.block_rom:
        parts.block_rams += block_rams(steps, word, family)
    else:
        _rom(parts, steps, word, family)
    # Rows with the same weights in all steps share the product.
    products = simd * distinct(pe, steps, w_bits) if steps > 1 else 0.0
    if operation.layer.weight_bits == 1 and w_bits == 1:
        parts.add("product", products * product)
    elif product <= 6:
        parts.add("product", products * product * (1 if product <= family.lut_inputs else 2.5))
    elif w_bits == 2:
        parts.add("product", products * 1.5 * product)
    else:
        blocks, logic = _products(operation, family)
        parts.dsps += blocks
        parts.add("multiplier", logic)
    terms, bits = simd, product
    for level in range(operation.levels):
        bits = min(bits + 1, width)
        parts.add("tree", pe * (terms // 2) * bits)
        terms = (terms + 1) // 2
        if level % 2:
            parts.flip_flops += pe * terms * bits
    # With one step per sum the register just takes the sum.
    parts.add("accumulator", pe * width * (1.0 if operation.simd_folds > 1 else 0.2))
    if operation.has_constant:
        parts.add("constant", pe * width)
        used = distinct(pe * width, operation.beats)
        parts.add("rom", used * max(operation.beats / 2**family.lut_inputs, 1.0) if operation.beats > 2 else 0.0)
        parts.flip_flops += _bits(operation.beats)
    if operation.beats > 1 and operation.simd_folds > 1:
        parts.add("stream", 0.7 * simd * x_bits)
        if not operation.small_buffer:
            parts.flip_flops += simd * x_bits + 1
        if operation.small_buffer and (operation.keep_block_rams or family.name == "ice40"):
            parts.flip_flops += operation.simd_folds * simd * x_bits
            parts.add("select", (operation.simd_folds - 1) * simd * x_bits)
        else:
            add_memory(parts, operation.simd_folds, simd * x_bits, 1, family)


def _products(operation: DenseOperation, family: Family) -> tuple[int, float]:
    """(multiplier blocks, bit products in logic) of the products of a unit without tables; equal ones are made once."""
    element, w_bits = operation.inputs[0], operation.weight_bits
    x_bits = element.bits + (0 if element.signed else 1)
    weight = np.zeros((operation.beats * operation.pe, operation.simd_folds * operation.simd), np.int64)
    weight[: operation.layer.outputs, : operation.layer.inputs] = operation.layer.weight
    by_column = weight.reshape(operation.beats, operation.pe, operation.simd_folds, operation.simd).transpose(
        3, 1, 0, 2
    )
    blocks, logic = 0, 0.0
    for column in by_column.reshape(operation.simd, operation.pe, -1):
        for row in np.unique(column, axis=0):
            if operation.steps > 1:
                bits, result = w_bits, element.bits + w_bits
            else:
                # A constant: its zeros at the end are places, and a power of two is no product.
                places = int(row[0] & -row[0]).bit_length() - 1
                odd = int(row[0]) >> max(places, 0)
                if odd in (-1, 0, 1):
                    continue
                bits, result = signed_bits(odd, odd), element.bits + w_bits - places
            taken = multiplier_blocks(x_bits, bits, result, family)
            blocks += taken
            logic += 0.0 if taken else x_bits * bits
    return blocks, logic


def _threshold(parts: Parts, operation: ThresholdOperation, family: Family) -> None:
    """An `edgeml_threshold`: its memory, comparators, and the count of levels reached."""
    lanes, levels, bits = operation.pe, operation.layer.levels, operation.value_bits
    parts.flip_flops += _bits(operation.beats) + lanes * (operation.inputs[0].bits + operation.output.bits) + 2
    parts.add("stream", _bits(operation.beats) + 2.0)
    if operation.beats > 1:
        _rom(parts, operation.beats, lanes * levels * bits, family)
        parts.add("compare", lanes * levels * bits)
    else:
        parts.add("fixed", lanes * levels * bits)
    parts.add("fixed", lanes * (2.0 * levels if levels > 1 else 0.0))


def _operation(parts: Parts, operation: Operation, family: Family) -> None:
    if isinstance(operation, DenseOperation):
        _dense(parts, operation, family)
    elif isinstance(operation, ThresholdOperation):
        _threshold(parts, operation, family)
    elif isinstance(operation, RequantizeOperation):
        add_requantize(parts, operation, family)
    elif isinstance(operation, LookupOperation):
        for _ in range(operation.pe):
            add_table(parts, 2 ** operation.inputs[0].bits, operation.output.bits, family)
        parts.flip_flops += 1
    else:
        parts.add("tree", operation.pe * operation.output.bits)
        parts.flip_flops += operation.pe * operation.output.bits


def _edge(parts: Parts, edge: Edge, family: Family) -> None:
    """Width converters and FIFOs between segments."""
    bits = edge.element.bits
    wide = max(edge.source_lanes, edge.target_lanes) * bits
    ratio = max(edge.source_lanes, edge.target_lanes) // min(edge.source_lanes, edge.target_lanes)
    if edge.target_lanes > edge.source_lanes:
        parts.flip_flops += wide + _bits(ratio) + _bits(edge.source_beats) + 1
        parts.add("stream", 0.5 * wide + _bits(edge.source_beats) + _bits(ratio) + 4.0)
        if edge.frame_depth:
            _fifo(parts, edge.frame_depth, wide, family)
    elif edge.target_lanes < edge.source_lanes:
        parts.flip_flops += _bits(ratio) + _bits(edge.target_beats)
        k = 4 if family.lut_inputs == 6 else 2
        parts.add("stream", edge.target_lanes * bits * -(-ratio // k) + _bits(edge.target_beats) + _bits(ratio) + 4.0)
    if edge.fifo_depth:
        _fifo(parts, edge.fifo_depth, edge.source_lanes * bits, family)


def folded_features(segment: Segment, family: Family) -> Parts:
    """What a segment is made of: its units, its FIFO, and the streams that lead to it.

    product : bits of products that differ. tree : bits of additions of products. accumulator, constant : bits of
    sums, and of constants that they start from. rom : lookup tables of weights and thresholds in logic.
    compare, fixed : bits of comparisons with thresholds that change, that do not. ram : lookup tables of small
    memories. select : bits of multiplexers of those in flip-flops. stream : counters, handshakes, width converters.
    multiplier : bit products in logic. rescale, float : bits of what requantizes in
    integers, as floating point does. unit : operations.
    """
    parts = Parts()
    parts.add("unit", float(len(segment.operations)))
    for operation in segment.operations:
        _operation(parts, operation, family)
    _fifo(parts, segment.fifo_depth, segment.lanes * segment.element.bits, family)
    for edge in segment.inputs:
        _edge(parts, edge, family)
    return parts


def _cell(parts: Parts, cell: Cell, family: Family) -> None:
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
    else:
        parts.add("narrow" if len(cell.inputs) <= family.lut_inputs else "wide", cell.outputs)


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


def unrolled_features(logic: Logic, family: Family, register_every: int) -> dict[str, Parts]:
    """What each layer is made of.

    narrow : outputs of cells whose inputs fit one lookup table; wide : of others. carry : bits of carry chains.
    compare : comparisons with a constant, in lookup tables. delay : shift registers (Xilinx). ram, select : the FIFO
    of results. core : its control.
    """
    registers = Registers(logic, register_every)
    taps: dict[tuple[int, int], set[int]] = {}
    for cell in logic.netlist.cells:
        for bit in cell.inputs:
            if bit.cell != -2:
                delay = registers.stage(cell) - registers.born(bit.cell)
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
            _cell(found[layer], logic.netlist.cells[index], family)
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
    _fifo_of_results(last, latency, logic, family)
    return found


def _fifo_of_results(parts: Parts, latency: int, logic: Logic, family: Family) -> None:
    width = logic.output_element.bits * len(logic.outputs)
    depth = latency + 2
    counters = 2 * _bits(depth) + 2 * depth.bit_length()
    parts.flip_flops += counters
    parts.add("core", counters / 12.0)
    add_memory(parts, depth, width, 1, family)
