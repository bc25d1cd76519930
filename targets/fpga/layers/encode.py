"""Hardware of inputs as bits, levels and equalities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgeml.network import Network, Node
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode

from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import ONE, ZERO, Bit, CellKind, Netlist
from ..architectures.unrolled.tables import function_bits
from ..architectures.unrolled.value import Value, spread, sum_value
from ..layer_hardware import LayerHardware

__all__ = ["HARDWARE", "EncodeLogic"]

_TABLE_BITS = 6
"""A function of more bits is a comparison: a table of them would take more than one lookup table."""


class EncodeLogic(LayerLogic):
    """Bits are wires, levels and equalities tables or comparisons with constants, equal ones made once."""

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Encode)
        (values,) = inputs
        questions: dict[int, _Questions] = {}
        exact, start = network.ranges[node.name], len(netlist.cells)
        results = []
        for output, (source, rule, operand) in enumerate(zip(layer.source, layer.rule, layer.operand, strict=True)):
            value = values[source]
            if rule == VALUE:
                results.append(value)
            elif exact.low[output] == exact.high[output]:
                results.append(Value((ZERO,), int(exact.low[output]), 0, 0))
            else:
                asked = questions.setdefault(int(source), _Questions(netlist, value.reduced, node.name, int(source)))
                ask = {BIT: asked.bit, LEVEL: asked.level, EQUAL: asked.equal}[int(rule)]
                results.append(Value((ask(int(operand)),), 0, 0, 1))
        netlist.spread([bit for value in results for bit in value.bits if bit.cell >= start])
        return results


@dataclass
class _Questions:
    """What is asked of one value: each answer is made once."""

    netlist: Netlist
    value: Value
    layer: str
    source: int
    known: dict[tuple[str, int, int], Bit] = field(default_factory=dict)
    plain: Value | None = None

    def bit(self, place: int) -> Bit:
        """(x >> place) & 1 of a value that is not negative."""
        value = self.value
        if value.offset and len(value.bits) <= _TABLE_BITS:
            return self._table(value.bits, lambda u: (u + value.offset) >> place, f"bit {place}", ("bit", place, 0))
        if self.plain is None:
            self.plain = value
            if value.offset:
                columns: list[list[Bit]] = []
                spread(columns, value.bits)
                low, high, note = value.low, value.high, self._note("as it is")
                self.plain = sum_value(self.netlist, columns, max(low, -value.offset), high, value.offset, note)
        return self.plain.bits[place] if place < len(self.plain.bits) else ZERO

    def level(self, operand: int) -> Bit:
        """Whether x ≥ operand; the bits below the lowest one of the constant do not matter."""
        level = operand - self.value.offset
        if level <= self.value.low:
            return ONE
        unread = (level & -level).bit_length() - 1
        bits, rest = self.value.bits[unread:], level >> unread
        key, what = ("level", level, 0), f">= {operand}"
        if len(bits) <= _TABLE_BITS:
            return self._table(bits, lambda u: int(u >= rest), what, key)
        if key not in self.known:
            self.known[key] = self.netlist.add(CellKind.REACHED, bits, [rest], 1, self._note(what))[0]
        return self.known[key]

    def equal(self, operand: int) -> Bit:
        """Whether x = operand."""
        return self._equal(self.value.bits, operand - self.value.offset, f"= {operand}")

    def _equal(self, bits: Sequence[Bit], number: int, what: str) -> Bit:
        """A table of the highest bits and of whether the others are equal, which is made once for all that ask it."""
        key = ("equal", len(bits), number)
        if len(bits) <= _TABLE_BITS:
            return self._table(bits, lambda u: int(u == number), what, key)
        if key not in self.known:
            low = len(bits) - _TABLE_BITS + 1
            below = self._equal(bits[:low], number & (2**low - 1), f"{what} in {low} bits")
            wanted = (number >> low) * 2 + 1
            self._table([below, *bits[low:]], lambda u: int(u == wanted), what, key)
        return self.known[key]

    def _table(self, bits: Sequence[Bit], function: Callable[[int], int], what: str, key: tuple[str, int, int]) -> Bit:
        if key not in self.known:
            results = [function(u) for u in range(2 ** len(bits))]
            self.known[key] = function_bits(self.netlist, bits, results, 1, self._note(what))[0]
        return self.known[key]

    def _note(self, what: str) -> str:
        return f"{self.layer}: input {self.source} {what}"


HARDWARE = LayerHardware("encode", None, EncodeLogic(), compared_form="quantized")
