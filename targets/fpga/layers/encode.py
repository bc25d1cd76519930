"""Hardware of inputs as bits, levels and equalities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode

from ..architectures.folded.clocks import ValueClocks, spaced
from ..architectures.folded.folding import Folding, ceil_div
from ..architectures.folded.unit import Place, Unit
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import ONE, ZERO, Bit, CellKind, Netlist
from ..architectures.unrolled.tables import function_bits
from ..architectures.unrolled.value import Value, spread, sum_value
from ..budget import Family
from ..estimate.memory import distinct_columns, table_luts
from ..estimate.parts import Parts, counter_bits
from ..layer_hardware import LayerHardware
from ..verilog.element import Element, type_of
from ..verilog.memory import memory_image, pack_words
from ..verilog.writer import Expression
from ..verilog.writer import Value as Parameter

__all__ = ["HARDWARE", "EncodeLogic", "EncodeUnit"]

_TABLE_BITS = 6
"""A function of more bits is a comparison: a table of them would take more than one lookup table."""


_RULE_BITS = 2
_PLACE_BITS = 5


class EncodeUnit(Unit):
    """An `edgeml_encode`: what its results look at is wired, and the same for each of its input values.

    Where inputs follow each other in order and are asked the same (bits of bytes, thermometers), a few of them are
    taken per clock; levels may differ, then they stand in a ROM. In any other case a whole frame is taken at once.
    """

    takes_streams = True
    module = "edgeml_encode"
    modules = ("edgeml_encode.v",)
    latency = 1

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        layer = place.node.layer
        assert isinstance(layer, Encode)
        self.layer = layer

    @classmethod
    def least_folding(cls, node: Node, network: Network) -> Folding:
        layer = node.layer
        assert isinstance(layer, Encode)
        return Folding(1, 1) if _repeats(layer, Folding(1, 1)) else Folding(1, layer.inputs)

    def output_lanes(self, simd: int, offered: Sequence[int]) -> Sequence[int]:
        return [pe for pe in offered if _repeats(self.layer, Folding(pe, simd))]

    def schedule(
        self, valid: Sequence[ValueClocks], room: ValueClocks, frames: int
    ) -> tuple[list[ValueClocks], ValueClocks]:
        """A result in each clock in which its input value is there, which is taken with the last of them."""
        looks_at = np.arange(self.beats) // self.parts
        there = valid[0].reshape(frames, self.input_beats)[:, looks_at]
        reserved = spaced(np.maximum(room, there.ravel()))
        last = np.append(np.flatnonzero(np.diff(looks_at)), self.beats - 1)
        return [np.ascontiguousarray(reserved.reshape(frames, self.beats)[:, last]).ravel()], reserved

    @property
    def input_beats(self) -> int:
        """Input values per frame."""
        return ceil_div(self.layer.inputs, self.simd)

    @property
    def parts(self) -> int:
        """Result values for each input value; for the last of a frame perhaps fewer."""
        return ceil_div(self.beats, self.input_beats)

    @property
    def shapes(self) -> int:
        """How many parts look at other places of the input value, or by other rules."""
        looked = _looked_at(self.layer, self.simd)
        same = np.array_equal(looked, looked[np.arange(self.channels) % self.pe])
        return 1 if same else self.parts

    @property
    def compares(self) -> bool:
        """Whether there are operands."""
        return bool(np.any(self.layer.rule >= LEVEL))

    @property
    def output(self) -> Element:
        return type_of(*self.network.ranges[self.node.name].bounds)

    @property
    def operands(self) -> npt.NDArray[np.int64]:
        """Distances from the least input [words, slots]; 0 of slots without one."""
        element, layer = self.inputs[0], self.layer
        distance = layer.operand.astype(np.int64) - element.low
        most = 2**element.bits
        clipped = np.where(layer.rule == LEVEL, np.clip(distance, 0, most), distance)
        clipped = np.where((clipped < 0) | (clipped > most), most, clipped)
        slots = self.shapes * self.pe
        words = np.zeros(ceil_div(self.channels, slots) * slots, np.int64)
        words[: self.channels] = np.where(layer.rule >= LEVEL, clipped, 0)
        return words.reshape(-1, slots)

    def parameters(self) -> Mapping[str, Parameter]:
        slots = self.shapes * self.pe
        position_bits = max((self.simd - 1).bit_length(), 1)
        width = position_bits + _RULE_BITS + _PLACE_BITS
        position, rule, place = _looked_at(self.layer, self.simd)[:slots].T.tolist()
        fields = [
            p | r << position_bits | b << position_bits + _RULE_BITS
            for p, r, b in zip(position, rule, place, strict=True)
        ]
        fields += [BIT << position_bits | (2**_PLACE_BITS - 1) << position_bits + _RULE_BITS] * (slots - len(fields))
        packed = sum(value << index * width for index, value in enumerate(fields))
        return {
            "SIMD": self.simd,
            "PE": self.pe,
            "NF": self.beats,
            "PARTS": self.parts,
            "SHAPES": self.shapes,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "OUTPUT_BITS": self.output.bits,
            "POSITION_BITS": position_bits,
            "SLOTS": Expression(f"{slots * width}'h{packed:x}"),
            "HAS_OPERANDS": int(self.compares),
            "WORDS": len(self.operands),
            **({"OPERAND_FILE": f"{self.node.name}_operands.mem"} if self.compares else {}),
        }

    def memory_files(self) -> dict[str, str]:
        if not self.compares:
            return {}
        words, bits = self.operands, self.inputs[0].bits + 1
        image = memory_image(pack_words(words, bits), words.shape[1] * bits)
        return {f"{self.node.name}_operands.mem": image}

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """Registers, comparisons that differ, the choice of a part."""
        width, shapes = self.pe * self.output.bits, self.shapes
        words = self.operands
        counters = counter_bits(self.parts) + (counter_bits(self.beats) if self.beats % self.parts else 0)
        counters += counter_bits(len(words)) if self.compares else 0
        parts.flip_flops += width + 1 + counters
        inputs = 4 if family.lut_inputs == 6 else 2
        parts.add("stream", counters + 2.0 + (width * -(-shapes // inputs) if shapes > 1 else 0))
        slots = _looked_at(self.layer, self.simd)[: words.shape[1]]
        asked = {
            (int(position), int(rule), *words[:, slot].tolist())
            for slot, (position, rule, _) in enumerate(slots)
            if rule >= LEVEL
        }
        parts.add("fixed" if len(words) == 1 else "compare", float(len(asked) * (self.inputs[0].bits + 1)))
        if len(words) > 1:
            used = distinct_columns(words, self.inputs[0].bits + 1)
            parts.add("rom", used * table_luts(len(words), family))

    def describe(self) -> str:
        return f"{self.layer.summary()}; {self.simd} inputs at a time give {self.parts} times {self.pe} results"


def _looked_at(layer: Encode, simd: int) -> npt.NDArray[np.int64]:
    """[outputs, 3]: the position of its input among `simd`, the rule, and of a bit its place."""
    place = np.where(layer.rule == BIT, layer.operand, 0)
    return np.stack([layer.source % simd, layer.rule, place], axis=1).astype(np.int64)


def _repeats(layer: Encode, folding: Folding) -> bool:
    """Whether each `simd` inputs have results of their own, whole values of `pe`, in order and by the same rules."""
    input_beats, beats = ceil_div(layer.inputs, folding.simd), ceil_div(layer.outputs, folding.pe)
    if input_beats == 1:
        return True
    parts = ceil_div(beats, input_beats)
    each = folding.pe * parts
    index = np.arange(layer.outputs)
    if beats <= (input_beats - 1) * parts or np.any(layer.source // folding.simd != index // each):
        return False
    looked = _looked_at(layer, folding.simd)
    return bool(np.array_equal(looked, looked[index % each]))


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


HARDWARE = LayerHardware("encode", EncodeUnit, EncodeLogic(), compared_form="quantized")
