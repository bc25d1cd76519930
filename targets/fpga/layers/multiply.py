"""Hardware of the product of two tensors: gates."""

from __future__ import annotations

from collections.abc import Sequence

from edgeml.network import Network, Node

from ..architectures.folded.two_streams import TwoStreamsUnit
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import Bit, Netlist
from ..architectures.unrolled.tables import function_bits
from ..architectures.unrolled.value import Value, spread, sum_value
from ..budget import Family
from ..estimate.parts import Parts, multiplier_blocks
from ..estimate.products import logic_of_product
from ..layer_hardware import LayerHardware
from ..timing.delay_model import DelayModel
from ..verilog.element import Element, type_of

__all__ = ["HARDWARE", "MultiplyLogic", "MultiplyUnit"]

_TABLE_BITS = 6
"""Factors of so many bits together are tables: one lookup table for each bit of the product, or few."""
_FEW_BITS, _OF_MORE = 3, 1.45
_BLOCKS_WITH_REGISTERS = ("xc7", "nexus")


class MultiplyUnit(TwoStreamsUnit):
    """An `edgeml_multiply`: a value of each stream at once, their products one clock later."""

    module = "edgeml_multiply"
    modules = ("edgeml_multiply.v",)

    @property
    def output(self) -> Element:
        return type_of(*self.network.ranges[self.node.name].bounds)

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """In each lane a product and its register, which blocks of the 7 series and of Nexus take.

        Products in logic are counted, not fitted: with tables of six inputs one for each bit product, and half as many
        again where both factors have more than three bits.
        """
        a, b = self.inputs
        blocks = multiplier_blocks(a.bits, b.bits, self.output.bits, family, signed=a.signed or b.signed)
        parts.dsps += self.pe * blocks
        if not blocks and family.lut_inputs == 4:
            changes = tuple(range(2, 2 + b.bits))
            parts.luts += self.pe * logic_of_product(a.bits, changes, signed=(a.signed, b.signed))
        elif not blocks:
            parts.luts += self.pe * a.bits * b.bits * (1.0 if min(a.bits, b.bits) <= _FEW_BITS else _OF_MORE)
        kept = blocks and family.name in _BLOCKS_WITH_REGISTERS
        parts.flip_flops += 1 + (0 if kept else self.pe * self.output.bits)

    def slowest_logic(self, delays: DelayModel) -> float:
        """Of its product."""
        a, b = self.inputs
        return delays.product(a.bits, b.bits, delays.way(self.pe), blocks=delays.multiplier > 0) + delays.route

    def describe(self) -> str:
        return f"{self.node.inputs[0]} * {self.node.inputs[1]}"


class MultiplyLogic(LayerLogic):
    """A table of both factors where they have few bits; else a sum of the products of their bits."""

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        return [
            _product(netlist, a.reduced, b.reduced, choices, f"{node.name}[{channel}]")
            for channel, (a, b) in enumerate(zip(*inputs, strict=True))
        ]


def _product(netlist: Netlist, a: Value, b: Value, choices: LogicChoices, note: str) -> Value:
    if len(a.bits) + len(b.bits) <= _TABLE_BITS:
        return _as_table(netlist, a, b, choices, note)
    columns: list[list[Bit]] = []
    for place, bit in enumerate(a.bits):
        row = [function_bits(netlist, (bit, other), (0, 0, 0, 1), 1, note)[0] for other in b.bits]
        spread(columns, row, place)
    constant = a.offset * b.offset
    for value, factor in ((a, b.offset), (b, a.offset)):
        constant += _multiple(columns, value, factor)
    low, high = _ends(a, b)
    return sum_value(netlist, columns, low - constant, high - constant, constant, note)


def _multiple(columns: list[list[Bit]], value: Value, factor: int) -> int:
    """Put the bits of `value`, without its offset, times `factor` into columns; what must be added to these."""
    constant = 0
    for place in range(abs(factor).bit_length()):
        if abs(factor) >> place & 1:
            spread(columns, value.bits, place, inverted=factor < 0)
            # −u is the complement of u's bits, less what all bits are together.
            constant -= (2 ** len(value.bits) - 1) << place if factor < 0 else 0
    return constant


def _ends(a: Value, b: Value) -> tuple[int, int]:
    sides = [(value.low + value.offset, value.high + value.offset) for value in (a, b)]
    corners = [one * other for one in sides[0] for other in sides[1]]
    return min(corners), max(corners)


def _as_table(netlist: Netlist, a: Value, b: Value, choices: LogicChoices, note: str) -> Value:
    """Numbers above the highest of a factor never come: they may stand for it."""
    bits, width = (*a.bits, *b.bits), len(a.bits)
    numbers = [(x & (2**width - 1), x >> width) for x in range(2 ** len(bits))]
    results = [(min(u, a.high) + a.offset) * (min(v, b.high) + b.offset) for u, v in numbers]
    if choices.offset_is_free:
        return Value((), 0, 0, 0, (bits, tuple(results)))
    low, high = min(results), max(results)
    made = function_bits(netlist, bits, [result - low for result in results], max((high - low).bit_length(), 1), note)
    return Value(tuple(made), low, 0, high - low)


HARDWARE = LayerHardware("multiply", MultiplyUnit, MultiplyLogic(), compared_form="quantized")
