"""Hardware of threshold layers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network, Node, Threshold, ValueRange

from ..architectures.folded.unit import Place, Unit
from ..architectures.unrolled.cell_amounts import luts_of
from ..architectures.unrolled.decomposition import decomposed_bits
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.line_logic import line_value
from ..architectures.unrolled.netlist import ZERO, Bit, CellKind, Netlist
from ..architectures.unrolled.tables import function_bits
from ..architectures.unrolled.value import Value
from ..budget import Family
from ..estimate.memory import add_rom_apart
from ..estimate.parts import Parts, counter_bits, multiplier_blocks
from ..estimate.products import logic_of_product, pattern
from ..layer_hardware import LayerHardware
from ..rounding_as_multiply_add import Levels
from ..threshold_lines import constant_line, layer_lines, trailing_zeros
from ..timing.delay_model import DelayModel
from ..verilog.element import Element, signed_bits, type_of
from ..verilog.memory import memory_image, pack_words

__all__ = ["HARDWARE", "ThresholdLineUnit", "ThresholdLogic", "ThresholdUnit"]

_MOST_CORRECTIONS = 16
_MOST_WORDS_IN_LOGIC = 64
_FEW_LEVELS = 3
_LINE_PAYS = 0.8
"""A line is several levels of logic deeper than comparisons: all that waits for it costs registers."""


def _threshold(place: Place) -> Threshold:
    layer = place.node.layer
    assert isinstance(layer, Threshold)
    return layer


def _taken(place: Place, layer: Threshold) -> tuple[npt.NDArray[np.int64], ValueRange, list[Element]]:
    """Thresholds [channels, levels], ranges and types of what a unit takes: sums without the constant of the dense
    layer right before it, if there is one."""
    thresholds, values = layer.thresholds.astype(np.int64), place.network.ranges[place.node.inputs[0]]
    constant = place.before[-1].give_constant() if place.before else None
    if constant is None:
        return thresholds, values, list(place.inputs)
    values = ValueRange(values.low - constant, values.high - constant)
    return thresholds - constant[:, None], values, [place.before[-1].output]


class ThresholdUnit(Unit):
    """An `edgeml_threshold`; the constant of a dense layer right before it moves into the thresholds."""

    module = "edgeml_threshold"
    modules = ("edgeml_threshold.v", "edgeml_rom.v")
    latency = 2

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.layer = _threshold(place)
        thresholds, _, self.inputs = _taken(place, self.layer)
        # Beyond the range of the input a threshold is always or never reached: its exact place is of no matter.
        self.thresholds = np.clip(thresholds, self.inputs[0].low, self.inputs[0].high + 1)

    @property
    def value_bits(self) -> int:
        """Width of a stored threshold: one above the largest input fits."""
        return self.inputs[0].bits + (1 if self.inputs[0].signed else 2)

    @property
    def output(self) -> Element:
        return type_of(self.layer.base, self.layer.base + self.layer.levels)

    def parameters(self) -> dict[str, int | str]:
        return {
            "LANES": self.pe,
            "FOLD": self.beats,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "LEVELS": self.layer.levels,
            "OUTPUT_BITS": self.output.bits,
            "BASE": self.layer.base,
            "THRESHOLD_FILE": f"{self.node.name}_thresholds.mem",
        }

    def slowest_logic(self, delays: DelayModel) -> float:
        """Of its memory, or of the comparisons and the count of what they say."""
        word = self.pe * self.layer.levels * self.value_bits
        stored = delays.memory(self.beats, delays.way(word)) if self.beats > 1 else 0.0
        way = delays.way(self.layer.levels)
        compared = (delays.subtraction if self.beats > 1 else delays.comparison)(self.value_bits, way)
        return max(stored, compared + delays.route + delays.levels(self.layer.levels))

    def _rows(self) -> npt.NDArray[np.int64]:
        """The thresholds of all lanes [beats, lanes · levels]."""
        rows = np.zeros((self.beats * self.pe, self.layer.levels), np.int64)
        rows[: self.channels] = self.thresholds
        return rows.reshape(self.beats, self.pe * self.layer.levels)

    def memory_files(self) -> dict[str, str]:
        fields = self._rows()
        image = memory_image(pack_words(fields, self.value_bits), fields.shape[1] * self.value_bits)
        return {f"{self.node.name}_thresholds.mem": image}

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """Its memory, comparators, and the count of levels reached."""
        lanes, levels, bits = self.pe, self.layer.levels, self.value_bits
        parts.flip_flops += counter_bits(self.beats) + lanes * (self.inputs[0].bits + self.output.bits) + 2
        parts.add("stream", counter_bits(self.beats) + 2.0)
        if self.beats > 1:
            add_rom_apart(parts, self._rows(), bits, family, in_logic=True)
            _add_comparisons(parts, lanes * levels, bits, family)
        else:
            parts.add("fixed", lanes * levels * bits)
        # Each digit of the count is the parity of some of the levels.
        turns = [levels >> digit for digit in range(levels.bit_length())]
        parts.luts += lanes * sum(-(-(count - 1) // (family.lut_inputs - 1)) for count in turns)


def _add_comparisons(parts: Parts, count: int, bits: int, family: Family) -> None:
    """Comparisons of `bits` bits with thresholds that change: a carry chain each. On ECP5 a chain's cell of two bits
    counts as two lookup tables; on iCE40 a bit takes one that inverts the threshold, and the chain one at its end."""
    if family.lut_inputs == 6:
        parts.add("compare", count * bits)
    else:
        parts.luts += count * (bits + (1.0 if family.name == "ice40" else 0.0))


class ThresholdLineUnit(Unit):
    """An `edgeml_threshold_line`: one multiplication and one addition in the place of all comparisons of a channel.

    Its constructor raises InputError for a layer whose thresholds lie on no lines.
    """

    module = "edgeml_threshold_line"
    modules = ("edgeml_threshold_line.v", "edgeml_rom.v")
    alternative = "line"
    latency = 4

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.layer = _threshold(place)
        thresholds, values, self.inputs = _taken(place, self.layer)
        lines = layer_lines(thresholds, values.low, values.high)
        if lines is None or len(lines.corrections) > _MOST_CORRECTIONS:
            raise InputError(f"layer {place.node.name}", "has thresholds that lie on no line", "Compare with them")
        self.lines = lines
        self.zeros = min(lines.shift, *(trailing_zeros(offset) for offset in lines.offset.tolist()))
        self.offsets = lines.offset >> self.zeros

    @property
    def output(self) -> Element:
        return type_of(self.layer.base, self.layer.base + self.layer.levels)

    @property
    def factor_bits(self) -> int:
        """Bits of a stored factor."""
        return max(int(self.lines.multiplier.max()).bit_length(), 1)

    @property
    def offset_bits(self) -> int:
        """Bits of a stored offset, two's complement."""
        return max(signed_bits(int(self.offsets.min()), int(self.offsets.max())), 1)

    @property
    def in_logic(self) -> bool:
        """Whether the lines stay out of block RAM: a block of so few words is mostly empty."""
        return self.beats <= _MOST_WORDS_IN_LOGIC

    @property
    def _correction_fields(self) -> tuple[int, int, int]:
        """Bits of a place and of a lane, of an input, and of a correction."""
        changes = [run.change for run in self.lines.corrections]
        places = max(counter_bits(self.beats), counter_bits(self.pe), 1)
        return places, self.inputs[0].bits + (not self.inputs[0].signed), signed_bits(min(changes), max(changes))

    def parameters(self) -> dict[str, int | str]:
        given: dict[str, int | str] = {
            "LANES": self.pe,
            "FOLD": self.beats,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "FACTOR_BITS": self.factor_bits,
            "OFFSET_BITS": self.offset_bits,
            "SUM_BITS": self.lines.total_bits,
            "PLACES": self.lines.shift,
            "ZEROS": self.zeros,
            "LEVELS": self.layer.levels,
            "OUTPUT_BITS": self.output.bits,
            "BASE": self.layer.base,
            "LOGIC": int(self.in_logic),
            "LINE_FILE": f"{self.node.name}_lines.mem",
        }
        if self.lines.corrections:
            places, _, change = self._correction_fields
            given |= {
                "CORRECTIONS": len(self.lines.corrections),
                "PLACE_BITS": places,
                "CORRECTION_BITS": change,
                "CORRECTION_FILE": f"{self.node.name}_corrections.mem",
            }
        return given

    def slowest_logic(self, delays: DelayModel) -> float:
        """Of its product, or of the sum and the clip behind it."""
        blocks = delays.multiplier > 0
        product = delays.product(self.inputs[0].bits, self.factor_bits, delays.route, blocks=blocks)
        clipped = delays.sum(self.lines.total_bits, delays.route) + 2 * (delays.route + delays.lut)
        return max(product, clipped)

    def _rows(self) -> npt.NDArray[np.int64]:
        """Factors and offsets in turn [beats, 2 · lanes]."""
        rows = np.zeros((self.beats * self.pe, 2), np.int64)
        rows[: self.channels, 0] = self.lines.multiplier
        rows[: self.channels, 1] = self.offsets & ((1 << self.offset_bits) - 1)
        return rows.reshape(self.beats, 2 * self.pe)

    def memory_files(self) -> dict[str, str]:
        factor, offset = self.factor_bits, self.offset_bits
        words = [
            _joined([(int(value), (factor, offset)[k % 2]) for k, value in enumerate(row)]) for row in self._rows()
        ]
        files = {f"{self.node.name}_lines.mem": memory_image(words, self.pe * (factor + offset))}
        if self.lines.corrections:
            places, value, change = self._correction_fields
            bits = (places, places, value, value, change)
            runs = [
                _joined(list(zip((*divmod(run.channel, self.pe), run.first, run.last, run.change), bits, strict=True)))
                for run in self.lines.corrections
            ]
            files[f"{self.node.name}_corrections.mem"] = memory_image(runs, sum(bits))
        return files

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """Its memory, and in each lane a product, a sum, a clip and the comparisons of its corrections.

        Sums and clips are counted, not fitted: a lookup table for each bit of a sum (on Xilinx none if it adds a
        constant: a carry chain takes the product as it is), and of a clip for each bit of the result, with three
        inputs to spare on Xilinx, and as much again and half for smaller tables.
        """
        value = self.inputs[0].bits + (not self.inputs[0].signed)
        upper, levels = self.lines.total_bits - self.zeros, self.lines.total_bits - self.lines.shift
        constant, wide = self.beats == 1, family.lut_inputs == 6
        parts.flip_flops += counter_bits(self.beats) + self.pe * self.output.bits + 4
        parts.add("stream", counter_bits(self.beats) + 2.0)
        if not constant:
            bits = max(self.factor_bits, self.offset_bits)
            add_rom_apart(parts, self._rows(), bits, family, in_logic=self.in_logic)
        for lane in range(self.pe):
            factors = np.resize(self.lines.multiplier, self.beats * self.pe)[lane :: self.pe].astype(np.int64)
            factor_bits = self.factor_bits
            if constant:
                factor = int(self.lines.multiplier[min(lane, self.channels - 1)])
                odd = factor >> trailing_zeros(factor) if factor else 0
                factor_bits, factors = odd.bit_length(), np.array([odd])
            self._add_product(parts, value, pattern(factors, factor_bits), family)
            parts.luts += 0.0 if constant and wide else upper
            parts.luts += self.output.bits * (1.0 if wide else 2.5)
            parts.flip_flops += levels + (0 if constant else self.offset_bits)
        parts.add("fixed", len(self.lines.corrections) * (2.0 * value + counter_bits(self.beats)))

    def _add_product(self, parts: Parts, value_bits: int, factor: tuple[int, ...], family: Family) -> None:
        """A value times its factor, of these significant bits, and the registers before and behind it."""
        total, factor_bits = self.lines.total_bits, len(factor)
        blocks = multiplier_blocks(value_bits, factor_bits + 1, total, family) if factor_bits > 1 else 0
        parts.dsps += blocks
        if not blocks and factor_bits > 1 and family.lut_inputs == 4:
            parts.add("multiplier", logic_of_product(value_bits, factor, signed=(True, False)))
        elif not blocks and factor_bits > 1:
            # A row for each bit of the factor, each with its sign up to the end of the product.
            parts.add("multiplier", sum(max(total - place, 0.0) for place in range(factor_bits)))
        if blocks and family.lut_inputs == 6:
            return  # these blocks have registers on both sides, and pass their sums on
        parts.luts += max(blocks - 1, 0) * (total - value_bits)
        parts.flip_flops += total - self.zeros + self.inputs[0].bits

    def describe(self) -> str:
        corrected = f", {len(self.lines.corrections)} runs corrected" if self.lines.corrections else ""
        return f"{super().describe()}; on a line for each channel{corrected}"


def _joined(fields: Sequence[tuple[int, int]]) -> int:
    """One word of (value, bits), the first lowest; negative values in two's complement."""
    word = place = 0
    for value, bits in fields:
        word |= (value & ((1 << bits) - 1)) << place
        place += bits
    return word


class ThresholdLogic(LayerLogic):
    """Comparisons with constants; if few bits reach a channel, a table of them."""

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Threshold)
        (values,) = inputs
        results = []
        for channel, value in enumerate(values):
            if value.function is not None:
                inputs_of_table, sums = value.function
                counts = [int((layer.thresholds[channel] <= total).sum()) for total in sums]
                least, most = min(counts), max(counts)
                table = [count - least for count in counts]
                note = f"neuron {node.inputs[0]}[{channel}] with {node.name}[{channel}], of {len(inputs_of_table)} bits"
                made = decomposed_bits(netlist, inputs_of_table, table, max((most - least).bit_length(), 1), note)
                netlist.spread(made)
                results.append(Value(tuple(made), layer.base + least, 0, most - least))
                continue
            levels = [int(t) - value.offset for t in layer.thresholds[channel]]
            always = sum(1 for t in levels if t <= value.low)
            within = [t for t in levels if value.low < t <= value.high]
            base = layer.base + always
            if not within:
                results.append(Value((ZERO,), base, 0, 0))
                continue
            note = f"{node.name}[{channel}]"
            if len(within) > 1 and len(value.bits) <= choices.table_inputs:
                counts = [bisect_right(within, x) for x in range(2 ** len(value.bits))]
                bits = function_bits(netlist, value.bits, counts, len(within).bit_length(), note)
                found = Value(tuple(bits), base, 0, len(within))
            else:
                found = _cheaper(netlist, value, within, layer.levels, always, layer.base, note)
            netlist.spread(found.bits)
            results.append(found)
        return results


def _cheaper(
    netlist: Netlist, value: Value, within: Sequence[int], levels: int, always: int, base: int, note: str
) -> Value:
    """Comparisons with the thresholds that lie within a value's range, or their line, whichever takes less logic.

    within : thresholds of the value without its offset. always : how many of all the `levels` lie below them.
    """
    start = len(netlist.cells)
    compared = Value(tuple(_reached(netlist, value.bits, within, note)), base + always, 0, len(within))
    cells = netlist.cells[start:]
    if len(within) <= _FEW_LEVELS:
        return compared
    low, high = value.low + value.offset, value.high + value.offset
    line = constant_line([t + value.offset for t in within], low, high, always, levels)
    if line is None:
        return compared
    del netlist.cells[start:]
    reach = Levels(np.array(within, np.int64) + value.offset, low, high, always, levels)
    on_line = line_value(netlist, value, line, reach, base, note)
    assert on_line is not None  # one offset, and no ties: any value has such a line
    if luts_of(netlist.cells[start:]) < _LINE_PAYS * luts_of(cells):
        return on_line
    del netlist.cells[start:]
    netlist.cells.extend(cells)
    return compared


def _reached(netlist: Netlist, bits: Sequence[Bit], levels: Sequence[int], note: str) -> list[Bit]:
    """How many of the levels a number reaches; up to three are compared first, and counted in the next level."""
    if not 2 <= len(levels) <= 3:
        return netlist.add(CellKind.REACHED, bits, levels, len(levels).bit_length(), note)
    each = [netlist.add(CellKind.REACHED, bits, [level], 1, f"{note} >= {level}")[0] for level in levels]
    # Who reaches a level reaches all below it: bit 1 is the second comparison, bit 0 changes with each.
    odd = [sum((x.bit_count() & 1) << x for x in range(2 ** len(levels)))]
    return [*netlist.add(CellKind.TABLE, each, odd, 1, note), each[1]]


HARDWARE = LayerHardware(
    "threshold",
    ThresholdUnit,
    ThresholdLogic(),
    takes_constants=True,
    compared_form="quantized",
    alternatives=(ThresholdLineUnit,),
)
