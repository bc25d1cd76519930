"""Hardware of requantizing layers: the int8 form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import FRACTION_BITS

from ..architectures.folded.products import multiplier_bits
from ..architectures.folded.unit import Place, Unit
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.line_logic import line_value
from ..architectures.unrolled.netlist import ZERO, CellKind, Netlist
from ..architectures.unrolled.size import check_values
from ..architectures.unrolled.value import Value
from ..budget import Family
from ..estimate.memory import add_rom, distinct_columns
from ..estimate.parts import Parts, multiplier_blocks
from ..estimate.products import pattern
from ..layer_hardware import LayerHardware
from ..rounding_as_multiply_add import Levels, Line, fit_line, layer_levels
from ..timing.delay_model import DelayModel
from ..verilog.element import Element, type_of
from ..verilog.memory import memory_image, pack_words

__all__ = ["HARDWARE", "RequantizeLogic", "RequantizeUnit"]

_SIGNIFICANT = {"fp32_rne": 24, "float64_away": 53}
_CLOCKS = {"shift": 3, "double_rounding": 5, "ruy_half_up": 5, "fp32_rne": 7, "float64_away": 7}
_FEW_LEVELS = 3
_FIXED_POINT = 31
_SHORTER_FACTOR = 18
"""Bits of a factor without a sign that a block of the 7 series does not take whole."""
_PLACES_OF_FOUR = {"fp32_rne": 10.6, "float64_away": 8.0}
"""Tables of four inputs for each place that may go away from a significand, of all that rounds it: of 10 lanes."""
_PLACES_OF_SIX = {"fp32_rne": (5.0, 27.0), "float64_away": (2.2, 42.0)}
"""Tables of six inputs: for each bit of a value, one of which is for each place that may go away; and of the clip."""
_PART = 17
"""Bits of a part of a factor that is cut."""
_CLIP_BITS = 19
"""Bits that `edgeml_clip` compares at least."""

Int64 = npt.NDArray[np.int64]


class RequantizeUnit(Unit):
    """An `edgeml_requantize`: the rule itself, on integers; factors by channel in a ROM."""

    module = "edgeml_requantize"
    modules = (
        "edgeml_requantize.v",
        "edgeml_rescale_fixed.v",
        "edgeml_rescale_float.v",
        "edgeml_significand.v",
        "edgeml_clip.v",
    )

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        layer = place.node.layer
        assert isinstance(layer, Requantize)
        self.layer = layer
        self.factor, places = _factors(layer)
        self.right = int(places.min())
        self.more = places - self.right

    @property
    def floating(self) -> bool:
        """Whether the rule is defined in floating point."""
        return self.layer.rounding in _SIGNIFICANT

    @property
    def latency(self) -> int:
        converts = self.floating and self.inputs[0].bits > _SIGNIFICANT[self.layer.rounding]
        return _CLOCKS[self.layer.rounding] + 2 * converts

    @property
    def output(self) -> Element:
        return type_of(*self.network.ranges[self.node.name].bounds)

    @property
    def factor_bits(self) -> int:
        """Bits of a stored factor; one, unused, if the rule only shifts."""
        known = _SIGNIFICANT.get(self.layer.rounding)
        return known if known is not None else max(int(self.factor.max()).bit_length(), 1)

    @property
    def more_bits(self) -> int:
        """Bits of the places that channels are shifted by beyond the least of them."""
        return max(int(self.more.max()).bit_length(), 1)

    def slowest_logic(self, delays: DelayModel) -> float:
        """Of its product, or of a sum and what chooses behind it."""
        value, table = self.inputs[0].bits, delays.route + delays.lut
        blocks = delays.multiplier > 0
        product = delays.product(value, self.factor_bits, delays.route, blocks=blocks) if self.factor_bits > 1 else 0.0
        wide = value + self.factor_bits
        return max(product, delays.sum(wide, delays.way(wide) + delays.lut + delays.route) + table)

    def parameters(self) -> dict[str, int | str]:
        return {
            "LANES": self.pe,
            "FOLD": self.beats if self.layer.per_channel else 1,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "ROUNDING": self.layer.rounding,
            "FACTOR_BITS": self.factor_bits,
            "MORE_BITS": self.more_bits,
            "RIGHT": self.right,
            "ZERO_POINT": self.layer.zero_point,
            "LOW": self.layer.low,
            "HIGH": self.layer.high,
            "OUTPUT_BITS": self.output.bits,
            "LATENCY": self.latency,
            "FACTOR_FILE": f"{self.node.name}_factors.mem",
        }

    def memory_files(self) -> dict[str, str]:
        field = self.factor_bits + self.more_bits
        packed = self.factor + (self.more << self.factor_bits)
        if self.layer.per_channel:
            padded = np.zeros(self.beats * self.pe, np.int64)
            padded[: self.channels] = packed
            rows = padded.reshape(self.beats, self.pe)
        else:
            rows = np.repeat(packed[:, None], self.pe, axis=1)
        return {f"{self.node.name}_factors.mem": memory_image(pack_words(rows, field), self.pe * field)}

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """Lane by lane. If a lane has one factor for all its values, that is a constant: a product with few bits."""
        changes = self.layer.per_channel and self.beats > 1
        if changes:
            words = np.zeros(self.beats * self.pe, np.int64)
            words[: self.channels] = self.factor + (self.more << self.factor_bits)
            bits = self.factor_bits + self.more_bits
            add_rom(parts, words.reshape(self.beats, self.pe), bits, family, kind="factors")
        parts.flip_flops += self.pe * self.inputs[0].bits + self.latency
        parts.add("stream", self.latency / 2 + 2.0)
        for lane in range(self.pe):
            factor_bits, more = self.factor_bits, self.more[lane :: self.pe, None]
            values = np.resize(self.factor, -(-self.channels // self.pe) * self.pe)[lane :: self.pe]
            # Of few words, some bits of the places are the same ones.
            more_bits = distinct_columns(more, self.more_bits) if changes and len(more) else 0
            if not changes:
                factor = int(self.factor[min(lane, len(self.factor) - 1)])
                # Zeros at the end of a constant are places: a power of two is not a product.
                odd = factor // math.gcd(factor, 2**62) if factor else 0
                factor_bits, values = odd.bit_length(), np.array([odd])
            factor_of = _Factor(factor_bits, pattern(values, factor_bits), self.factor_bits - factor_bits)
            if self.floating:
                self._add_floating(parts, factor_of, more_bits, family)
            else:
                self._add_fixed(parts, factor_of, more_bits, family)

    def _add_fixed(self, parts: Parts, factor: _Factor, more_bits: int, family: Family) -> None:
        """One lane by the rules that compute in integers; `more_bits` is 0 if all channels shift as far."""
        element = self.inputs[0]
        value_bits = element.bits + (0 if element.signed else 1)
        high = value_bits
        if self.layer.rounding != "shift":
            product = value_bits + factor.bits
            high = max(product + 1 - _FIXED_POINT, 2)
            _add_product(parts, value_bits, factor, 1, family, signed=True)
            if family.fitted != "ice40":
                parts.add("rescale", product - _FIXED_POINT + 1.0)
            parts.flip_flops += high + 2 * more_bits
        away = self.layer.rounding == "double_rounding"
        # Ties that go up ask for nothing below the half.
        parts.flip_flops -= 0 if away else min(max(self.right - 1, 0), high)
        parts.flip_flops += high + 1
        if family.fitted == "ice40":
            # Zeros at the end of a factor are places: the sum is as long as with the whole factor.
            whole = high + factor.places if self.layer.rounding != "shift" else high
            parts.add("rescale", self._fixed_of_four(whole, more_bits, away=away))
            parts.flip_flops += self.output.bits
            return
        parts.add("rescale", high * more_bits * (2.0 if away else 1.0) + (high / 2 if away else 0) + high + 1)
        _add_clip(parts, high + 1, self.output.bits)

    def _fixed_of_four(self, high: int, more_bits: int, *, away: bool) -> float:
        """Tables of four inputs of a lane behind its product: of `high` bits, some of which are shifted out.

        A place each of the sum that adds the half, of that which rounds, and of the comparisons of what has more bits
        than the result. Places that are shifted by further take a table each for each bit of their number, and the sum
        behind them is as long as the one before. Fitted to 24 lanes, synthesized one by one.
        """
        left = max(high + 1 - self.right, 1)
        luts = float(left + (high if self.layer.rounding != "shift" else 0))
        if more_bits or left > self.output.bits:
            luts += left
        if more_bits:
            luts += high + 1.5 * left * (more_bits - 1)
        return luts + (10.0 + 6.0 * max(more_bits - 1, 0) if away else 0.0)

    def _add_floating(self, parts: Parts, factor: _Factor, more_bits: int, family: Family) -> None:
        """One lane by the rules of a floating-point format."""
        bits, kept = self.inputs[0].bits, self.factor_bits
        product = bits + factor.bits
        shifted = max(bits + 2 + kept, self.right) + 2 - self.right
        # Ties that go away from zero ask for nothing below the half: of the rounded product that is not kept.
        unread = self.right - 1 if self.layer.rounding == "float64_away" else 0
        if family.lut_inputs == 6:
            self._add_floating_of_six(parts, factor, (shifted, more_bits, unread), family)
            return
        if family.fitted == "ice40":
            # For each place that may go away from the significand, and each that is shifted.
            each = _PLACES_OF_FOUR[self.layer.rounding]
            parts.add("float", each * (bits + 1) + (1.1 * shifted * (1 + more_bits) if more_bits else 0.0))
            parts.flip_flops += self.output.bits
        else:
            parts.add("float", float(bits))
            parts.add("float", shifted * (2.0 * more_bits + 3.0))
            _add_clip(parts, shifted + 1, self.output.bits)
        for width in [bits, product] if bits > kept else [product]:
            most = max(width - kept, 0)
            if family.fitted != "ice40":
                parts.add("significand", 2.0 * width)
                parts.add("float", 3.5 * most)
            elif width == bits:
                parts.add("float", _PLACES_OF_FOUR[self.layer.rounding] * most)
            parts.flip_flops += 2 * width + most + 1
        parts.flip_flops -= min(unread, product)
        _add_product(parts, bits, factor, 2, family, signed=False)
        parts.flip_flops += 4 * (more_bits + 1) + shifted + 1

    def _add_floating_of_six(self, parts: Parts, factor: _Factor, behind: tuple[int, int, int], family: Family) -> None:
        """The same with tables of six inputs, from (bits of what is shifted, bits of the places, bits not read).

        Three registers in a row are a shift register in one table: of the bits of a product that no rounding looks at,
        of the sign and of the places. What is behind the product was counted on 16 lanes, 3 % off at most: tables for
        each place that may go away, two for each place that is shifted, and the clip.
        """
        bits, kept = self.inputs[0].bits, self.factor_bits
        shifted, more_bits, unread = behind
        each, clip = _PLACES_OF_SIX[self.layer.rounding]
        in_a_row = _add_product(parts, bits, factor, 2, family, signed=False)
        product = bits + (kept if factor.bits > 1 else factor.bits)  # blocks do not show which of its bits are 0
        in_a_row = min(in_a_row, kept, product)
        parts.luts += in_a_row + more_bits + 1
        parts.flip_flops -= 3 * in_a_row + more_bits
        parts.add("float", each * bits + 2.0 * shifted + clip + 2.0 * more_bits)
        parts.flip_flops += 2 * product + 1 + max(product - kept - 1, 0) - min(unread, product)
        if bits > kept:
            parts.add("float", each * (bits - kept))
            parts.flip_flops += 3 * bits - kept + 1
        parts.flip_flops += shifted + 1 + self.output.bits


def _factors(layer: Requantize) -> tuple[Int64, Int64]:
    """(factor, places to shift right) per channel, as the unit takes them."""
    multiplier, shift = layer.multiplier.astype(np.int64), layer.shift.astype(np.int64)
    if layer.rounding == "shift":
        return np.zeros_like(multiplier), 1 - shift
    if layer.rounding == "fp32_rne":
        return multiplier >> 7, 24 - shift
    if layer.rounding == "float64_away":
        assert layer.fraction is not None
        return (multiplier << FRACTION_BITS) + layer.fraction, 53 - shift
    return multiplier << np.maximum(shift, 0), np.maximum(-shift, 0)


@dataclass(frozen=True)
class _Factor:
    """A factor that is not negative: how many bits it has without the zeros at its end, which of them differ
    (`estimate.products.pattern`), and how many zeros those are, if it is always the same."""

    bits: int
    pattern: tuple[int, ...]
    places: int


def _add_product(
    parts: Parts, value_bits: int, factor: _Factor, registers: int, family: Family, *, signed: bool
) -> int:
    """A value times a factor that is not negative: multiplier blocks and the sums of their parts, or logic; and so many
    registers behind it. How many of its bits, from the lowest on, pass all of these outside of blocks."""
    factor_bits = factor.bits
    width = value_bits + factor_bits
    if factor_bits < 2:
        parts.flip_flops += registers * width
        return width
    # With a sign, the factor gets a zero for one.
    blocks = multiplier_blocks(value_bits, factor_bits + signed, width, family, signed=signed)
    parts.dsps += blocks
    if blocks and family.lut_inputs == 6:
        return _add_registers_of_blocks(parts, value_bits, factor, (blocks, registers), family, signed=signed)
    if blocks:
        parts.add("rescale", (blocks - 1) * width * 0.7)
        if not signed and value_bits > _SHORTER_FACTOR:
            parts.add("sum", 2.5 * width)
        elif value_bits == _SHORTER_FACTOR + 1:
            # One bit of the value is left, for which no block is taken.
            parts.add("sum", float(width))
    else:
        unread = max(_FIXED_POINT - 1 - factor.places, 0) if signed else 0
        bits = multiplier_bits(value_bits, factor.pattern, family, signed=(signed, False), unread=unread)
        parts.add("multiplier", bits)
    # Of a product that is rounded as an integer, what lies below the half is not looked at.
    parts.flip_flops += registers * (width - (_FIXED_POINT - 1 if signed else 0))
    return width


def _add_registers_of_blocks(
    parts: Parts, value_bits: int, factor: _Factor, taken: tuple[int, int], family: Family, *, signed: bool
) -> int:
    """Of a product in (blocks, registers behind it) of Xilinx, the sums of parts and the registers; as `_add_product`.

    The 7 series adds the parts of one factor in a chain of blocks, of which the last takes registers: all of a product
    of one block, else the first of them, and none of the lowest 17 bits of each block before. The register of a value
    is before the product in them, unless that is a magnitude. Parts of both factors are added outside.
    """
    blocks, registers = taken
    width = value_bits + factor.bits + factor.places
    cut = value_bits + (not signed) > _SHORTER_FACTOR and (blocks > 2 or signed)
    read = width - (_FIXED_POINT - 1 if signed else 0)
    if family.name == "xc7":
        parts.flip_flops -= value_bits if signed else 0
        if not cut:
            outside = 0 if signed or blocks == 1 else _PART * (blocks - 1)
            parts.flip_flops += registers * outside + (max(registers - 1, 0) * (width - outside) if outside else 0)
            return outside
        parts.add("partial", float(width - _PART) if signed else 1.2 * width)
    elif blocks > 1 and (signed or blocks == 2):
        parts.add("partial", (1.0 + cut) * (width - _PART))
    elif blocks > 1:
        parts.add("partial", 2.1 * (_PART + value_bits) + (width if cut else 0.0))
    parts.flip_flops += registers * read
    return width


def _add_clip(parts: Parts, value_bits: int, output_bits: int) -> None:
    wide = max(value_bits + 1, _CLIP_BITS)
    parts.add("rescale", 3.0 * wide + output_bits)
    parts.flip_flops += output_bits


class RequantizeLogic(LayerLogic):
    """Per channel a line (a constant multiplication by shifted sums, see `rounding_as_multiply_add`) and a clip, or a
    few comparisons."""

    def check(self, node: Node, network: Network) -> None:
        check_values(node, network, "outputs", node.name)

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Requantize)
        self.check(node, network)
        (values,) = inputs
        channels, base = layer_levels(layer, network.ranges[node.inputs[0]])
        lines: dict[tuple[bytes, int, int, int], Line | None] = {}
        results = []
        for channel, (value, levels) in enumerate(zip(values, channels, strict=True)):
            note = f"{node.name}[{channel}]"
            if not len(levels.thresholds):
                results.append(Value((ZERO,), base + levels.first, 0, 0))
                continue
            line = None
            if len(levels.thresholds) > _FEW_LEVELS:
                key = (levels.thresholds.tobytes(), levels.low, levels.high, levels.first)
                if key not in lines:
                    lines[key] = fit_line(levels, clipped=True)
                line = lines[key]
            made = line_value(netlist, value, line, levels, base, note) if line is not None else None
            results.append(made if made is not None else _compared(netlist, value, levels, base, note))
        return results


def _compared(netlist: Netlist, value: Value, levels: Levels, base: int, note: str) -> Value:
    reached = [int(t) - value.offset for t in levels.thresholds]
    bits = netlist.add(CellKind.REACHED, value.bits, reached, len(reached).bit_length(), note)
    return Value(tuple(bits), base + levels.first, 0, len(reached))


HARDWARE = LayerHardware("requantize", RequantizeUnit, RequantizeLogic(), compared_form="int8")
