"""Hardware of dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Network, Node

from ..architectures.folded.products import multiplier_bits, product_luts
from ..architectures.folded.sums_unit import SumsUnit
from ..architectures.folded.unit import Place
from ..architectures.unrolled.compressor_tree import compress
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import Bit, Netlist
from ..architectures.unrolled.shared_sums import number_bits, parents_first, sums_of
from ..architectures.unrolled.value import Value, spread, sum_value
from ..budget import Family
from ..estimate.memory import add_memory, add_rom_in_logic, distinct_columns, rom_luts
from ..estimate.parts import Parts, block_rams, counter_bits, multiplier_blocks
from ..estimate.products import pattern
from ..layer_hardware import LayerHardware
from ..timing.delay_model import DelayModel
from ..verilog.element import signed_bits
from ..verilog.memory import memory_image, pack_words

__all__ = ["HARDWARE", "DenseLogic", "DenseUnit"]

_BLOCK_ROM_BITS = 8192
_BLOCK_ROM_WORDS = 64
_SMALL_BUFFER_BITS = 1024
_PRODUCT_TABLE_BITS = 6
_TABLE_BITS = 6
_DECOMPOSED_BITS, _FEW_LEVELS = 8, 3
"""A table of more than six bits is not cheaper than sums and comparisons, each bit doubles it; but up to eight bits
against few levels are two to five tables of six (`decomposition`)."""


class DenseUnit(SumsUnit):
    """An `edgeml_mvu`: weights in a ROM, a word per clock; constants added only if nobody else takes them."""

    module = "edgeml_mvu"
    modules = ("edgeml_mvu.v", "edgeml_mvu_row.v", "edgeml_adder_tree.v", "edgeml_pair_sum.v")

    def __init__(self, place: Place) -> None:
        layer = place.node.layer
        assert isinstance(layer, Dense)
        super().__init__(place, layer)
        self.layer = layer
        weight = layer.weight.astype(np.int64)
        constant: npt.NDArray[np.int64] = layer.bias - layer.input_zero_point * weight.sum(axis=1)
        if self.inverts:
            constant = constant + (weight < 0).sum(axis=1)
        self.begin_sums(constant)
        self.small_buffer = self.input_beats * self.simd * self.inputs[0].bits <= _SMALL_BUFFER_BITS
        self.block_rom = self.rom_bits >= _BLOCK_ROM_BITS and self.clocks_per_frame >= _BLOCK_ROM_WORDS

    @property
    def latency(self) -> int:
        return 2 + self.tree_depth // 2

    @property
    def weight_bits(self) -> int:
        """Bits of a stored weight: padded places need a zero, which bipolar weights lack."""
        padded = self.layer.inputs % self.simd
        return 2 if self.layer.weight_bits == 1 and padded else self.layer.weight_bits

    @property
    def inverts(self) -> bool:
        """Whether the unit takes −x as ~x = −x − 1, so that each negative weight lacks one: `edgeml_mvu_row`."""
        bits = self.weight_bits
        return bits == 1 or (bits == 2 and bits + self.inputs[0].bits > _PRODUCT_TABLE_BITS)

    @property
    def rom_bits(self) -> int:
        """Bits of the weight memory, padding included."""
        return self.clocks_per_frame * self.pe * self.simd * self.weight_bits

    def parameters(self) -> dict[str, int | str]:
        return {
            "SIMD": self.simd,
            "PE": self.pe,
            "SF": self.input_beats,
            "NF": self.beats,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "WEIGHT_BITS": self.weight_bits,
            "SUM_BITS": self.output.bits,
            "HAS_CONSTANT": int(self.has_constant),
            "BLOCK_ROM": int(self.block_rom),
            "SMALL_BUFFER": int(self.small_buffer),
            **({"BUFFER_STYLE": "logic"} if self.small_buffer and self.keeps_block_rams else {}),
            "WEIGHT_FILE": f"{self.node.name}_weights.mem",
            **({"CONSTANT_FILE": f"{self.node.name}_constants.mem"} if self.has_constant else {}),
        }

    def _words(self) -> npt.NDArray[np.int64]:
        """The weights as they are stored, a word for each clock of a frame: [clocks, outputs · inputs of a clock]."""
        rows, columns = self.beats * self.pe, self.input_beats * self.simd
        weight = np.zeros((rows, columns), np.int64)
        weight[: self.layer.outputs, : self.layer.inputs] = self.layer.weight
        if self.weight_bits == 1:
            weight = (weight > 0).astype(np.int64)
        words = weight.reshape(self.beats, self.pe, self.input_beats, self.simd).transpose(0, 2, 1, 3)
        return words.reshape(self.clocks_per_frame, self.pe * self.simd)

    def memory_files(self) -> dict[str, str]:
        width = self.pe * self.simd * self.weight_bits
        packed = pack_words(self._words(), self.weight_bits)
        files = {f"{self.node.name}_weights.mem": memory_image(packed, width)}
        return files | self.constant_files()

    def slowest_logic(self, delays: DelayModel) -> float:
        """Of its weight memory, products and first sums, or accumulators."""
        word = self.pe * self.simd * self.weight_bits
        weights = delays.block if self.block_rom else delays.memory(self.clocks_per_frame, delays.way(word))
        x_bits, w_bits = self.inputs[0].bits, self.weight_bits
        way, product = delays.way(self.pe * (x_bits + w_bits)), x_bits + w_bits
        if w_bits == 1:
            terms = way
        elif product <= _PRODUCT_TABLE_BITS or w_bits == 2:
            # A product with two bits is 0, x or 2x, perhaps inverted: a function of the weight and two bits of x.
            terms = delays.function(4 if w_bits == 2 else product, way) + delays.route
        else:
            terms = delays.product(x_bits, w_bits, way, blocks=delays.multiplier > 0) + delays.route
        return max(weights, self.slowest_sums(delays, terms, product))

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """From its weight memory to its accumulators.

        In multiplier blocks of the 7 series yosys puts the register of an input right before them, and the accumulator
        right behind them: of one product a clock, the sum with its start.
        """
        pe, simd, width = self.pe, self.simd, self.output.bits
        x_bits, product = self.inputs[0].bits, self.inputs[0].bits + self.weight_bits
        blocks = parts.dsps
        self._add_products(parts, product, family)
        in_blocks = parts.dsps > blocks
        takes_registers = in_blocks and family.name == "xc7"
        sums_in_blocks = takes_registers and simd == 1
        chosen_behind = self.beats > 1 and self.input_beats > 1 and not self.small_buffer
        parts.flip_flops += 3 * (self.tree_depth // 2 + 1) + 1
        parts.flip_flops += 0 if takes_registers and not chosen_behind else simd * x_bits
        parts.flip_flops += 0 if sums_in_blocks else pe * width
        counters = counter_bits(self.input_beats) + counter_bits(self.beats) + counter_bits(self.clocks_per_frame)
        parts.flip_flops += counters
        parts.add("stream", counters + 8.0)
        word = pe * simd * self.weight_bits
        if self.block_rom:
            parts.block_rams += block_rams(self.clocks_per_frame, word, family)
        else:
            add_rom_in_logic(parts, self.clocks_per_frame, distinct_columns(self._words(), self.weight_bits), family)
        if not sums_in_blocks:
            self.add_sums(parts, product, "sum" if in_blocks else "tree")
        if self.has_constant:
            parts.add("constant", 0.0 if sums_in_blocks else pe * width)
            constant = np.zeros(self.beats * pe, np.int64)
            constant[: self.layer.outputs] = self.constant
            used = distinct_columns(constant.reshape(self.beats, pe), width)
            parts.add("rom", used * rom_luts(self.beats, family))
            # yosys moves the register of the place that is read from behind the memory.
            parts.flip_flops += used + 1 if self.beats > 2 else counter_bits(self.beats)
        if self.beats > 1 and self.input_beats > 1:
            self._add_input_buffer(parts, simd * x_bits, family)

    def _add_products(self, parts: Parts, product: int, family: Family) -> None:
        """Products of `product` bits: from logic, tables or multiplier blocks."""
        products = self._products() if self.clocks_per_frame > 1 else 0
        if self.weight_bits <= 2 or product <= _PRODUCT_TABLE_BITS:
            x = self.inputs[0]
            parts.add("product", products * product_luts(x.bits, self.weight_bits, x.signed, family))
        else:
            blocks, logic = self._wide_products(family)
            parts.dsps += blocks
            parts.add("multiplier", logic)

    def _products(self) -> int:
        """Products that differ: outputs with the same weights of an input in all clocks share one, and those that are
        always 0 take none."""
        words = self._words().reshape(self.clocks_per_frame, self.pe, self.simd)
        by_input = np.ascontiguousarray(words.transpose(2, 1, 0), np.int32)  # weights of all clocks side by side
        never = {bytes(by_input[0, 0].nbytes)} if self.weight_bits > 1 else set()
        return sum(len({row.tobytes() for row in rows} - never) for rows in by_input)

    def _wide_products(self, family: Family) -> tuple[int, float]:
        """(multiplier blocks, bit products in logic) of products without tables; equal ones in logic are made once."""
        element, w_bits = self.inputs[0], self.weight_bits
        x_bits = element.bits + (0 if element.signed else 1)
        weight = np.zeros((self.beats * self.pe, self.input_beats * self.simd), np.int64)
        weight[: self.layer.outputs, : self.layer.inputs] = self.layer.weight
        by_column = weight.reshape(self.beats, self.pe, self.input_beats, self.simd).transpose(3, 1, 0, 2)
        blocks, logic, signs = 0, 0.0, (element.signed, True)
        each = multiplier_blocks(x_bits, w_bits, element.bits + w_bits, family)
        if self.clocks_per_frame == 1 and each:
            # yosys takes blocks before it looks into memories: it does not know that weights are constant.
            return self.simd * self.pe * each, 0.0
        for column in by_column.reshape(self.simd, self.pe, -1):
            for row in np.unique(column, axis=0):
                values = row
                if self.clocks_per_frame > 1:
                    bits, result = w_bits, element.bits + w_bits
                else:
                    # A constant: its zeros at the end are places, and a power of two is not a product.
                    places = int(row[0] & -row[0]).bit_length() - 1
                    odd = int(row[0]) >> max(places, 0)
                    if odd in (-1, 0, 1):
                        continue
                    bits, result = signed_bits(odd, odd), element.bits + w_bits - places
                    values = np.array([odd])
                taken = multiplier_blocks(x_bits, bits, result, family)
                blocks += taken
                if not taken:
                    logic += multiplier_bits(element.bits, pattern(values, bits), family, signed=signs)
        return blocks, logic

    def _add_input_buffer(self, parts: Parts, width: int, family: Family) -> None:
        """A frame's values of `width` bits together, kept for all sums but the first."""
        parts.add("stream", 0.7 * width)
        parts.flip_flops += counter_bits(self.input_beats)  # the place to read from, once more
        if not self.small_buffer:
            parts.flip_flops += width + 1
        if self.small_buffer and (self.keep_block_rams or family.name == "ice40"):
            parts.flip_flops += self.input_beats * width
            parts.add("select", (self.input_beats - 1) * width)
        else:
            add_memory(parts, self.input_beats, width, 1, family)


class DenseLogic(LayerLogic):
    """Shared sums (ours or da4ml's), then a compressor tree per output.

    If only layers follow that take constants, the constant stays an offset, which moves into them for nothing.
    """

    def multiplications(self, node: Node) -> int:
        assert isinstance(node.layer, Dense)
        return int(node.layer.weight.size)

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Dense)
        (values,) = inputs
        reduced = [value.reduced for value in values]
        weight = layer.weight.astype(np.int64)
        offsets = np.array([value.offset - layer.input_zero_point for value in reduced], np.int64)
        constants = [int(c) for c in layer.bias + weight @ offsets]
        most = _DECOMPOSED_BITS if _levels_behind(node, network) <= _FEW_LEVELS else _TABLE_BITS
        small = _small_functions(weight, constants, reduced, most) if choices.offset_is_free else {}
        large = [output for output in range(len(weight)) if output not in small]
        shared, parents = sums_of(weight[large], reduced, [constants[output] for output in large], choices)
        numbers = number_bits(netlist, shared, reduced, node.name)
        exact = network.ranges[node.name]
        results: dict[int, Value] = {}
        for row in parents_first(parents):
            output, constant = large[row], shared.constants[row]
            columns: list[list[Bit]] = []
            for term in shared.outputs[row]:
                spread(columns, numbers[term.number], term.shift, inverted=term.inverted)
            note = f"{node.name}[{output}]"
            parent = parents[row]
            if parent is not None:
                spread(columns, results[large[parent]].bits)
                constant += results[large[parent]].offset
                note += f" from {node.name}[{large[parent]}]"
            low, high = int(exact.low[output]) - constant, int(exact.high[output]) - constant
            if choices.offset_is_free:
                width = max(high.bit_length(), 1)
                results[output] = Value(tuple(compress(netlist, columns, width, note)), constant, low, high)
            else:
                results[output] = sum_value(netlist, columns, low, high, constant, note)
        for output, function in small.items():
            results[output] = Value((), 0, 0, 0, function)
        return [results[output] for output in range(len(weight))]


def _levels_behind(node: Node, network: Network) -> int:
    """The most that a layer which takes the sums tells apart, less one."""
    takers = (taker.name for taker in network.layers if node.name in taker.inputs)
    return max((int((network.ranges[name].high - network.ranges[name].low).max()) for name in takers), default=0)


def _small_functions(
    weight: npt.NDArray[np.int64], constants: Sequence[int], values: Sequence[Value], most: int
) -> dict[int, tuple[tuple[Bit, ...], tuple[int, ...]]]:
    """Outputs that at most `most` bits reach: those bits, and the sum for each number."""
    found = {}
    for output, row in enumerate(weight):
        channels = [channel for channel in map(int, np.flatnonzero(row)) if values[channel].high]
        bits = [bit for channel in channels for bit in values[channel].bits]
        if len(bits) > most:
            continue
        sums = []
        for x in range(2 ** len(bits)):
            total, left = constants[output], x
            for channel in channels:
                width = len(values[channel].bits)
                # Numbers above the highest never come: they may stand for it.
                total += int(row[channel]) * min(left & (2**width - 1), values[channel].high)
                left >>= width
            sums.append(total)
        found[output] = (tuple(bits), tuple(sums))
    return found


HARDWARE = LayerHardware("dense", DenseUnit, DenseLogic(), compared_form="quantized")
