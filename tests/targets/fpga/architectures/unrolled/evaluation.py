"""The meaning of a netlist in numpy, written apart from the Verilog: many networks are checked without a simulator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, Cell, CellKind, Netlist
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic

__all__ = ["bit_values", "evaluate"]


def _number(bits: list[np.ndarray]) -> np.ndarray:
    return sum((bit.astype(np.int64) << k for k, bit in enumerate(bits)), np.zeros(1, np.int64))


def _cell(cell: Cell, x: list[np.ndarray]) -> np.ndarray:
    if cell.kind is CellKind.COUNT:
        ones, _ = cell.shape
        return sum(x[:ones], np.zeros(1, np.int64)) + 2 * sum(x[ones:], np.zeros(1, np.int64))
    if cell.kind in (CellKind.ADD, CellKind.SMALL_ADD):
        a, b, shift = cell.shape
        return _number(x[:a]) + (_number(x[a : a + b]) << shift)
    if cell.kind is CellKind.ADD3:
        (width,) = cell.shape
        return sum(_number(x[k * width : (k + 1) * width]) for k in range(3))
    if cell.kind is CellKind.REACHED:
        return sum((_number(x) >= level).astype(np.int64) for level in cell.shape)
    return sum(np.array([(table >> n) & 1 for n in range(2 ** len(x))])[_number(x)] << k
               for k, table in enumerate(cell.shape))  # fmt: skip


def bit_values(netlist: Netlist, inputs: list[np.ndarray]) -> Callable[[Bit], np.ndarray]:
    """The value of each bit of a netlist for the bits of its input, each of int64 [frames]."""
    cells: list[np.ndarray] = []

    def value(bit: Bit) -> np.ndarray:
        if bit.cell == -2:
            return np.full(len(inputs[0]), bit.index, np.int64)
        found = inputs[bit.index] if bit.cell == -1 else (cells[bit.cell] >> bit.index) & 1
        return 1 - found if bit.inverted else found

    for cell in netlist.cells:
        cells.append(_cell(cell, [value(bit) for bit in cell.inputs]) & (2**cell.outputs - 1))
    return value


def evaluate(logic: Logic, q: np.ndarray) -> np.ndarray:
    """Outputs [frames, outputs] of a netlist for quantized inputs [frames, inputs]."""
    width = logic.input_element.bits
    inputs = [(q[:, channel] >> k) & 1 for channel in range(q.shape[1]) for k in range(width)]
    value = bit_values(logic.netlist, inputs)
    element = logic.output_element
    results = np.stack([_number([value(bit) for bit in bits]) for bits in logic.outputs], axis=1)
    return results - ((results >> (element.bits - 1)) << element.bits) if element.signed else results
