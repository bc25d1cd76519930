"""How long the cells of a netlist take on a part."""

from __future__ import annotations

from ...timing.delay_model import DelayModel
from .decision_diagram import decision_support
from .netlist import Bit, Cell, CellKind, Netlist

__all__ = ["cell_delay", "cell_delays"]


def cell_delays(netlist: Netlist, outputs: list[list[Bit]], model: DelayModel) -> list[float]:
    """Of each cell, ns: from its farthest input to its outputs, the way to it by what its sources reach."""
    reached: dict[tuple[int, int], int] = {}
    for bit in (bit for cell in netlist.cells for bit in cell.inputs):
        reached[bit.cell, bit.index] = reached.get((bit.cell, bit.index), 0) + 1
    for bit in (bit for bits in outputs for bit in bits):
        reached[bit.cell, bit.index] = reached.get((bit.cell, bit.index), 0) + 1
    delays = []
    for cell in netlist.cells:
        most = max((reached[bit.cell, bit.index] for bit in cell.inputs if bit.cell != -2), default=1)
        delays.append(cell_delay(cell, model, model.way(most)))
    return delays


def cell_delay(cell: Cell, model: DelayModel, way: float) -> float:
    """Of one cell, ns, with the way to it."""
    used = sum(bit.cell != -2 for bit in cell.inputs)
    if cell.kind is CellKind.ADD:
        return model.sum(cell.outputs, way + model.inverter * any(bit.inverted for bit in cell.inputs))
    if cell.kind is CellKind.ADD3:
        # Carries of the three rows in tables, then a chain over them and the sums without carries.
        return model.sum(cell.outputs, way + model.lut + model.route)
    if cell.kind is CellKind.REACHED:
        return _levels_reached(cell, model, way)
    if cell.kind is CellKind.TABLE:
        used = max((decision_support(table, len(cell.inputs)) for table in cell.shape), default=1)
    return model.function(max(used, 1), way)


def _levels_reached(cell: Cell, model: DelayModel, way: float) -> float:
    """Comparisons with constants, and the parities of what they say."""
    bits = [len(cell.inputs) - ((level & -level).bit_length() - 1) for level in cell.shape]
    widest = max(bits, default=1)
    joined = len(cell.shape) > 1
    if len(cell.inputs) <= model.joined_inputs or not joined:
        return model.function(widest, way) if widest <= model.joined_inputs else model.comparison(widest, way)
    return model.comparison(widest, way) + model.route + model.levels((len(cell.shape) + 1) // 2)
