"""Hardware of sums of tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network, Node, ValueRange
from edgeml.network.layers.tables import Tables

from ..architectures.folded.sums_unit import SumsUnit
from ..architectures.folded.unit import Place
from ..architectures.unrolled.compressor_tree import compress
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import Bit, Netlist
from ..architectures.unrolled.size import check_values
from ..architectures.unrolled.sums_of_tables import TableOfBits, joined, term_bits
from ..architectures.unrolled.value import Value, sum_value
from ..budget import Family
from ..estimate.memory import add_memory, add_rom_apart, add_rom_in_logic, distinct_of_random
from ..estimate.parts import Parts, block_rams, counter_bits
from ..layer_hardware import LayerHardware
from ..timing.delay_model import DelayModel
from ..verilog.memory import memory_image, pack_words

__all__ = ["HARDWARE", "TablesLogic", "TablesUnit"]

_BLOCK_ROM_BITS = 8192
_BLOCK_ROM_WORDS = 512
_SMALL_BUFFER_BITS = 1024
_MOST_VALUE_BITS = 16
_MOST_SIMD = 10_000
"""Memory files are numbered by four digits."""

_TABLE_BITS = 6
"""Functions of more bits are not joined, and a neuron of more is a sum: each bit doubles a table."""


class TablesUnit(SumsUnit):
    """An `edgeml_tables`: a memory for each input of a step; constants added only if nobody else takes them."""

    module = "edgeml_tables"
    modules = ("edgeml_tables.v", "edgeml_rom.v", "edgeml_adder_tree.v", "edgeml_pair_sum.v")

    def __init__(self, place: Place) -> None:
        layer = place.node.layer
        assert isinstance(layer, Tables)
        super().__init__(place, layer)
        self.layer = layer
        reached = place.network.ranges[place.node.inputs[0]]
        self.value_bits = max(int(reached.high[layer.source].max()).bit_length(), 1)
        if self.value_bits > _MOST_VALUE_BITS:
            raise InputError(
                f"layer {self.node.name}",
                f"has inputs of {self.value_bits} bits: a memory of 2^{self.value_bits} words for each is too large",
            )
        terms, constant = _terms(layer, reached, self.value_bits)
        self.entry_bits = max(int(terms.max()).bit_length(), 1)
        half = 1 << (self.entry_bits - 1)
        self.entries = (terms - half).astype(np.int16 if self.entry_bits <= 16 else np.int32)
        self.begin_sums(constant + half * layer.inputs)
        self.words = self.clocks_per_frame << self.value_bits
        self.block_rom = self.words * self.pe * self.entry_bits >= _BLOCK_ROM_BITS and self.words >= _BLOCK_ROM_WORDS

    def output_lanes(self, simd: int, offered: Sequence[int]) -> Sequence[int]:
        return offered if simd <= _MOST_SIMD else ()

    @property
    def latency(self) -> int:
        return 3 + self.tree_depth // 2

    @property
    def buffer_in_logic(self) -> bool:
        """Whether the input buffer, which is small, stays out of block RAM."""
        return self.keep_block_rams and self.input_beats * self.simd * self.inputs[0].bits <= _SMALL_BUFFER_BITS

    def slowest_logic(self, delays: DelayModel) -> float:
        """Of its memories, or first sums, or accumulators."""
        word = self.pe * self.simd * self.entry_bits
        entries = delays.block if self.block_rom else delays.memory(self.words, delays.way(word))
        return max(entries, self.slowest_sums(delays, delays.route, self.entry_bits))

    def parameters(self) -> dict[str, int | str]:
        return {
            "SIMD": self.simd,
            "PE": self.pe,
            "SF": self.input_beats,
            "NF": self.beats,
            "INPUT_BITS": self.inputs[0].bits,
            "VALUE_BITS": self.value_bits,
            "ENTRY_BITS": self.entry_bits,
            "SUM_BITS": self.output.bits,
            "HAS_CONSTANT": int(self.has_constant),
            "BLOCK_ROM": int(self.block_rom),
            **({"BUFFER_STYLE": "logic"} if self.buffer_in_logic else {}),
            "TABLE_FILE": f"{self.node.name}_table",
            **({"CONSTANT_FILE": f"{self.node.name}_constants.mem"} if self.has_constant else {}),
        }

    def lane(self, number: int) -> npt.NDArray[np.int64]:
        """The memory of an input of a step: entries [words, PE]; padded inputs and outputs have 0."""
        inputs, outputs = np.arange(number, self.input_beats * self.simd, self.simd), self.beats * self.pe
        values = 1 << self.value_bits
        table = np.zeros((len(inputs), values, outputs), np.int64)
        there = inputs < self.layer.inputs
        table[there, :, : self.layer.outputs] = self.entries[inputs[there]]
        shaped = table.reshape(len(inputs), values, self.beats, self.pe)
        return shaped.transpose(2, 0, 1, 3).reshape(self.words, self.pe)

    def memory_files(self) -> dict[str, str]:
        width = self.pe * self.entry_bits
        files = {
            f"{self.node.name}_table_{number:04d}.mem": memory_image(
                pack_words(self.lane(number), self.entry_bits), width
            )
            for number in range(self.simd)
        }
        return files | self.constant_files()

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """From its tables to its accumulators."""
        pe, simd, width, x_bits = self.pe, self.simd, self.output.bits, self.inputs[0].bits
        counters = counter_bits(self.input_beats) + counter_bits(self.beats) + 2 * counter_bits(self.clocks_per_frame)
        parts.flip_flops += counters + simd * x_bits + 3 * (self.tree_depth // 2 + 2) + 1 + pe * width
        parts.add("stream", counters + 8.0)
        for number in range(simd):
            if self.block_rom:
                parts.block_rams += block_rams(self.words, pe * self.entry_bits, family)
            else:
                add_rom_apart(parts, self.lane(number), self.entry_bits, family, in_logic=True)
        self.add_sums(parts, self.entry_bits)
        if self.has_constant:
            parts.add("constant", pe * width)
            add_rom_in_logic(parts, self.beats, distinct_of_random(pe * width, self.beats), family)
            parts.flip_flops += counter_bits(self.beats)
        if self.beats > 1 and self.input_beats > 1:
            self._add_input_buffer(parts, simd * x_bits, family)

    def _add_input_buffer(self, parts: Parts, width: int, family: Family) -> None:
        """A frame's values of `width` bits together, kept for all sums but the first."""
        parts.add("stream", 0.7 * width)
        parts.flip_flops += width + 1
        if self.buffer_in_logic:
            parts.flip_flops += self.input_beats * width
            parts.add("select", (self.input_beats - 1) * width)
        else:
            add_memory(parts, self.input_beats, width, 1, family)


def _terms(layer: Tables, reached: ValueRange, bits: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(terms [inputs, 2^bits, outputs], at least 0, the smallest of an input and an output being 0; what is left: the
    constant of each output). Values that never come have the terms of the nearest that do."""
    terms = np.zeros((layer.inputs, 1 << bits, layer.outputs), np.int64)
    for feature, source in enumerate(layer.source.tolist()):
        values = np.clip(np.arange(1 << bits), reached.low[source], reached.high[source])
        terms[source] += layer.entries[layer.rows[feature][values]]
    smallest = terms.min(axis=1)
    return terms - smallest[:, None], layer.bias + smallest.sum(axis=0)


class TablesLogic(LayerLogic):
    """Functions of each input's bits, their constants taken out, and a compressor tree per output.

    Inputs of few bits are looked at together where that costs less. Behind what takes constants, an output that at
    most six bits reach is one table with what follows.
    """

    def check(self, node: Node, network: Network) -> None:
        check_values(node, network, "inputs", node.inputs[0])

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Tables)
        self.check(node, network)
        (values,) = inputs
        tables, constants = _tables(layer, values, network.ranges[node.inputs[0]])
        small = _small_functions(tables, constants) if choices.offset_is_free else {}
        for table in tables:
            table.terms[:, list(small)] = 0
        made = term_bits(netlist, joined(tables, _TABLE_BITS), layer.outputs, node.name)
        exact, results = network.ranges[node.name], []
        for output, columns in enumerate(made):
            low, high = int(exact.low[output] - constants[output]), int(exact.high[output] - constants[output])
            note = f"{node.name}[{output}]"
            if output in small:
                results.append(Value((), 0, 0, 0, small[output]))
            elif choices.offset_is_free:
                bits = compress(netlist, columns, max(high.bit_length(), 1), note)
                results.append(Value(tuple(bits), int(constants[output]), low, high))
            else:
                results.append(sum_value(netlist, columns, low, high, int(constants[output]), note))
        return results


def _tables(
    layer: Tables, values: Sequence[Value], reached: ValueRange
) -> tuple[list[TableOfBits], npt.NDArray[np.int64]]:
    """A table for each input that matters, and what is left: the constant of each output."""
    constants = layer.bias.astype(np.int64)
    found = []
    for source in np.unique(layer.source).tolist():
        value = values[source].reduced
        # Numbers that never come may stand for the nearest that do.
        numbers = np.clip(np.arange(2 ** len(value.bits)) + value.offset, reached.low[source], reached.high[source])
        terms = sum(
            layer.entries[layer.rows[f]].astype(np.int64)[numbers] for f in np.flatnonzero(layer.source == source)
        )
        smallest = terms.min(axis=0)
        constants = constants + smallest
        if np.any(terms != smallest):
            found.append(TableOfBits(value.bits, terms - smallest, (f"input {source}",)))
    return found, constants


def _small_functions(
    tables: Sequence[TableOfBits], constants: npt.NDArray[np.int64]
) -> dict[int, tuple[tuple[Bit, ...], tuple[int, ...]]]:
    """Outputs that so few bits reach that a table of them costs least: those bits, and the sum for each number."""
    found = {}
    for output, constant in enumerate(constants.tolist()):
        reaching = [table for table in tables if table.terms[:, output].any()]
        if sum(len(table.bits) for table in reaching) > _TABLE_BITS:
            continue
        whole = TableOfBits((), np.full((1, 1), constant), ())
        for table in reaching:
            whole = whole + TableOfBits(table.bits, table.terms[:, [output]], table.names)
        found[output] = (whole.bits, tuple(whole.terms[:, 0].tolist()))
    return found


HARDWARE = LayerHardware("tables", TablesUnit, TablesLogic(), compared_form="quantized")
