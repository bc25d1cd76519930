"""What a design costs: lookup tables, flip-flops, block RAMs and multipliers per layer, before any tool is run.

The counts follow the RTL; how many lookup tables synthesis makes of each kind of logic was fitted to yosys
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .budget import Family
from .folded.dense import DenseOperation
from .folded.plan import INPUT, Plan, Segment
from .folded.threshold import ThresholdOperation
from .unrolled.build import Logic
from .unrolled.emit import Registers
from .unrolled.netlist import Cell, CellKind

__all__ = ["Cost", "estimate_folded", "estimate_unrolled", "features_folded", "features_unrolled", "total"]

FOLDED_FEATURES = ("product", "tree", "accumulator", "rom", "compare", "memory", "multiplexer", "stream", "unit")
_FOLDED: Mapping[int, tuple[float, ...]] = {
    6: (1.0, 1.2, 1.0, 0.5, 0.7, 0.7, 0.5, 1.0, 25.0),
    4: (1.0, 1.3, 1.0, 1.5, 1.0, 1.0, 1.0, 1.0, 30.0),
}
UNROLLED_FEATURES = ("count", "carry", "compare", "table")
_UNROLLED: Mapping[int, tuple[float, ...]] = {6: (1.0, 1.0, 1.0, 1.0), 4: (2.6, 1.2, 1.5, 1.5)}


@dataclass(frozen=True)
class Cost:
    """Cells of a layer or of a design; `luts` count carry cells too (one per four bits, as yosys maps them)."""

    luts: float = 0.0
    flip_flops: int = 0
    block_rams: int = 0
    dsps: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.luts + other.luts,
            self.flip_flops + other.flip_flops,
            self.block_rams + other.block_rams,
            self.dsps + other.dsps,
        )


def total(costs: Mapping[str, Cost]) -> Cost:
    """Sum over layers."""
    return sum(costs.values(), Cost())


def block_rams(words: int, width: int, family: Family) -> int:
    """Block RAMs of the best shape for a memory."""
    return min(-(-words // depth) * -(-width // bits) for depth, bits in family.block_shapes)


def _rom_tables(words: int, width: int, inputs: int) -> float:
    """Lookup tables of a memory in logic: one per 2^inputs words and bit, and the choice between them."""
    if words <= 1:
        return 0.0
    return width * max(words / 2**inputs, 0.25 if words < 2 ** (inputs - 1) else 1.0)


def features_folded(segment: Segment, plan: Plan, family: Family) -> dict[str, float]:
    """What a segment is made of, in bits of each kind of logic (see FOLDED_FEATURES)."""
    found = dict.fromkeys(FOLDED_FEATURES, 0.0)
    found["unit"] = float(len(segment.operations))
    k = family.lut_inputs
    for operation in segment.operations:
        if isinstance(operation, DenseOperation):
            found = _dense_features(operation, found, family)
        elif isinstance(operation, ThresholdOperation):
            lanes, levels = operation.pe, operation.layer.levels
            word = lanes * levels * operation.value_bits
            found["compare"] += word
            found["rom"] += _rom_tables(operation.beats, word, k)
        else:
            found["accumulator"] += operation.pe * operation.output.bits
    found["memory"] += segment.fifo_depth * segment.lanes * segment.element.bits / (1 if family.name == "ice40" else 16)
    for edge in segment.inputs:
        bits = edge.element.bits
        if edge.target_lanes > edge.source_lanes:
            found["stream"] += edge.target_lanes * bits
            words = edge.frame_depth * edge.target_lanes * bits
            found["memory"] += words / (1 if family.name == "ice40" else 16)
        elif edge.target_lanes < edge.source_lanes:
            found["multiplexer"] += edge.source_lanes * bits
        found["memory"] += edge.fifo_depth * edge.source_lanes * bits / (1 if family.name == "ice40" else 16)
    return found


def _dense_features(operation: DenseOperation, found: dict[str, float], family: Family) -> dict[str, float]:
    pe, simd = operation.pe, operation.simd
    x_bits, w_bits = operation.inputs[0].bits, operation.weight_bits
    product = x_bits + w_bits
    small = product <= 6
    if operation.layer.weight_bits == 1 and w_bits == 1:
        per_product = float(product)
    elif small:
        per_product = product * (1.0 if family.lut_inputs >= product else 2.0 ** (product - family.lut_inputs))
    elif w_bits == 2:
        per_product = 1.25 * product
    else:
        per_product = 0.0 if family.dsp else 1.25 * x_bits * w_bits
    found["product"] += pe * simd * per_product
    width = operation.output.bits
    terms, bits = simd, product
    for _ in range(operation.levels):
        terms, bits = (terms + 1) // 2, min(bits + 1, width)
        found["tree"] += pe * terms * bits
    found["accumulator"] += pe * width
    if not operation.block_rom:
        found["rom"] += _rom_tables(operation.steps, pe * simd * w_bits, family.lut_inputs)
    if operation.has_constant:
        found["rom"] += _rom_tables(operation.beats, pe * width, family.lut_inputs)
    if operation.beats > 1:
        found["multiplexer"] += simd * x_bits
        bits = simd * x_bits * operation.simd_folds
        if family.name != "ice40" or operation.small_buffer:
            found["memory"] += bits / (1 if family.name == "ice40" else 16)
    return found


def estimate_folded(plan: Plan, family: Family) -> dict[str, Cost]:
    """Cost per segment, by the name of its first node."""
    costs = {}
    weights = _FOLDED[family.lut_inputs]
    for segment in plan.segments:
        features = features_folded(segment, plan, family)
        luts = sum(w * features[name] for w, name in zip(weights, FOLDED_FEATURES, strict=True))
        rams = dsps = registers = 0
        for operation in segment.operations:
            registers += operation.pe * operation.output.bits
            if isinstance(operation, DenseOperation):
                word = operation.pe * operation.simd * operation.weight_bits
                registers += word + 2 * operation.simd * operation.inputs[0].bits
                if operation.block_rom:
                    rams += block_rams(operation.steps, word, family)
                if family.name == "ice40" and operation.beats > 1 and not operation.small_buffer:
                    rams += block_rams(operation.simd_folds, operation.simd * operation.inputs[0].bits, family)
                if family.dsp and operation.weight_bits > 2 and operation.inputs[0].bits + operation.weight_bits > 6:
                    dsps += operation.pe * operation.simd
        costs[segment.name] = Cost(luts, registers, rams, dsps)
    takers = plan.takers(INPUT)
    if len(takers) > 1:
        first = plan.segments[0].name
        costs[first] = costs[first] + Cost(float(4 * len(takers)), len(takers))
    return costs


def _cell_features(cell: Cell) -> tuple[str, float]:
    if cell.kind in (CellKind.COUNT, CellKind.SMALL_ADD):
        return "count", float(cell.outputs)
    if cell.kind is CellKind.ADD:
        return "carry", cell.outputs * 1.25
    if cell.kind is CellKind.ADD3:
        return "carry", cell.outputs * 2.25
    if cell.kind is CellKind.REACHED:
        return "compare", len(cell.shape) * max(1.0, (len(cell.inputs) - 1) / 5) * 0.7 + cell.outputs * 0.5
    return "table", float(cell.outputs)


def features_unrolled(logic: Logic, layer: str) -> dict[str, float]:
    """What a layer is made of (see UNROLLED_FEATURES)."""
    found = dict.fromkeys(UNROLLED_FEATURES, 0.0)
    for index in logic.layer_cells[layer]:
        name, amount = _cell_features(logic.netlist.cells[index])
        found[name] += amount
    return found


def estimate_unrolled(logic: Logic, family: Family, register_every: int) -> dict[str, Cost]:
    """Cost per layer; flip-flops are exact before synthesis removes or retimes any."""
    weights = _UNROLLED[family.lut_inputs]
    registers = Registers(logic, register_every)
    costs = {}
    for layer, cells in logic.layer_cells.items():
        features = features_unrolled(logic, layer)
        luts = sum(w * features[name] for w, name in zip(weights, UNROLLED_FEATURES, strict=True))
        costs[layer] = Cost(luts, sum(sum(registers.needed[index].values()) for index in cells))
    first = next(iter(costs))
    costs[first] = costs[first] + Cost(0.0, sum(registers.needed[-1].values()))
    return costs
