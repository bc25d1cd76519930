"""Hardware of threshold layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeml.network import Network, Node, Threshold

from ..architectures.folded.unit import Place, Unit
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import ZERO, Bit, CellKind, Netlist
from ..architectures.unrolled.tables import function_bits
from ..architectures.unrolled.value import Value
from ..budget import Family
from ..estimate.memory import add_rom_in_logic
from ..estimate.parts import Parts, counter_bits
from ..layer_hardware import LayerHardware
from ..verilog.element import Element, type_of
from ..verilog.memory import memory_image, pack_words

__all__ = ["HARDWARE", "ThresholdLogic", "ThresholdUnit"]


class ThresholdUnit(Unit):
    """An `edgeml_threshold`; the constant of a dense layer right before it moves into the thresholds."""

    module = "edgeml_threshold"
    modules = ("edgeml_threshold.v",)
    latency = 2

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        layer = place.node.layer
        assert isinstance(layer, Threshold)
        self.layer = layer
        thresholds = layer.thresholds.astype(np.int64)
        constant = place.before[-1].give_constant() if place.before else None
        if constant is not None:
            thresholds = thresholds - constant[:, None]
            self.inputs = [place.before[-1].output]
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

    def memory_files(self) -> dict[str, str]:
        rows = np.zeros((self.beats * self.pe, self.layer.levels), np.int64)
        rows[: self.channels] = self.thresholds
        fields = rows.reshape(self.beats, self.pe * self.layer.levels)
        image = memory_image(pack_words(fields, self.value_bits), fields.shape[1] * self.value_bits)
        return {f"{self.node.name}_thresholds.mem": image}

    def add_amounts(self, parts: Parts, family: Family) -> None:
        """Its memory, comparators, and the count of levels reached."""
        lanes, levels, bits = self.pe, self.layer.levels, self.value_bits
        parts.flip_flops += counter_bits(self.beats) + lanes * (self.inputs[0].bits + self.output.bits) + 2
        parts.add("stream", counter_bits(self.beats) + 2.0)
        if self.beats > 1:
            add_rom_in_logic(parts, self.beats, lanes * levels * bits, family)
            parts.add("compare", lanes * levels * bits)
        else:
            parts.add("fixed", lanes * levels * bits)
        parts.add("fixed", lanes * (2.0 * levels if levels > 1 else 0.0))


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
                made = function_bits(netlist, inputs_of_table, table, max((most - least).bit_length(), 1), note)
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
            bits = _reached(netlist, value.bits, within, f"{node.name}[{channel}]")
            netlist.spread(bits)
            results.append(Value(tuple(bits), base, 0, len(within)))
        return results


def _reached(netlist: Netlist, bits: Sequence[Bit], levels: Sequence[int], note: str) -> list[Bit]:
    """How many of the levels a number reaches; up to three are compared first, and counted in the next level."""
    if not 2 <= len(levels) <= 3:
        return netlist.add(CellKind.REACHED, bits, levels, len(levels).bit_length(), note)
    each = [netlist.add(CellKind.REACHED, bits, [level], 1, f"{note} >= {level}")[0] for level in levels]
    # Who reaches a level reaches all below it: bit 1 is the second comparison, bit 0 changes with each.
    odd = [sum((x.bit_count() & 1) << x for x in range(2 ** len(levels)))]
    return [*netlist.add(CellKind.TABLE, each, odd, 1, note), each[1]]


HARDWARE = LayerHardware("threshold", ThresholdUnit, ThresholdLogic(), takes_constants=True, compared_form="quantized")
