"""Hardware of tables of one small integer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.network.layers.lookup import Lookup

from ..architectures.folded.unit import Place, Unit
from ..architectures.unrolled.cell_amounts import luts_of_function
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import ZERO, CellKind, Netlist
from ..architectures.unrolled.size import MOST_TABLE_BITS, check_values
from ..architectures.unrolled.value import Value
from ..budget import Family
from ..estimate.memory import add_table, table_luts
from ..estimate.parts import Parts
from ..layer_hardware import LayerHardware
from ..verilog.element import Element, type_of
from ..verilog.memory import memory_image, pack_words

__all__ = ["HARDWARE", "LookupLogic", "LookupUnit"]

_MOST_INPUT_BITS = 17
_OF_SIX, _OF_FOUR = 1.06, 1.15
"""What yosys makes of tables over trees of tables of six inputs, whose content it does not use (of a tanh 1.13, of
random words 1), and over the content in tables of four (0.8 to 1.22)."""


class LookupUnit(Unit):
    """An `edgeml_lookup`: its table in a ROM per lane, by the bits of the input."""

    module = "edgeml_lookup"
    modules = ("edgeml_lookup.v",)
    latency = 1

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        layer = place.node.layer
        assert isinstance(layer, Lookup)
        self.layer = layer
        if self.inputs[0].bits > _MOST_INPUT_BITS:
            raise InputError(
                f"layer {self.node.name}",
                f"takes {self.inputs[0].bits} bits: a table of 2^{self.inputs[0].bits} words is too large",
            )

    @property
    def output(self) -> Element:
        return type_of(*self.network.ranges[self.node.name].bounds)

    def parameters(self) -> dict[str, int | str]:
        return {
            "LANES": self.pe,
            "INPUT_BITS": self.inputs[0].bits,
            "OUTPUT_BITS": self.output.bits,
            "TABLE_FILE": f"{self.node.name}_table.mem",
        }

    def _words(self) -> npt.NDArray[np.int64]:
        """The result [2^input bits] by the bits of the input."""
        element, table = self.inputs[0], self.layer.table.astype(np.int64)
        words = np.zeros(2**element.bits, np.int64)
        # Beyond the ends of the table, and of the output's type, nothing is ever read.
        first, last = max(self.layer.base, element.low), min(self.layer.base + len(table) - 1, element.high)
        values = np.arange(first, last + 1)
        words[values & (2**element.bits - 1)] = table[values - self.layer.base]
        return words

    def memory_files(self) -> dict[str, str]:
        image = memory_image(pack_words(self._words()[:, None], self.output.bits), self.output.bits)
        return {f"{self.node.name}_table.mem": image}

    def add_amounts(self, parts: Parts, family: Family) -> None:
        inputs, width = self.inputs[0].bits, self.output.bits
        luts = None
        if inputs <= MOST_TABLE_BITS:
            columns = _columns(self._words(), width)
            if family.lut_inputs == 6:
                luts = len(columns) * table_luts(2**inputs, family) * (_OF_SIX if inputs > family.lut_inputs else 1.0)
            else:
                luts = _OF_FOUR * sum(luts_of_function(column, inputs, family) for column in columns)
        for _ in range(self.pe):
            add_table(parts, 2**inputs, width, family, luts=luts)
        parts.flip_flops += 1


def _columns(words: npt.NDArray[np.int64], bits: int) -> set[int]:
    """The functions that a table of words is, but for constants."""
    planes = [np.packbits((words >> bit & 1).astype(np.uint8), bitorder="little").tobytes() for bit in range(bits)]
    return {int.from_bytes(plane, "little") for plane in planes} - {0, (1 << len(words)) - 1}


class LookupLogic(LayerLogic):
    """A table of up to 8 bits per channel."""

    def check(self, node: Node, network: Network) -> None:
        check_values(node, network, "inputs", node.inputs[0])

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Lookup)
        self.check(node, network)
        (values,) = inputs
        table = layer.table.astype(np.int64)
        results = []
        for channel, value in enumerate(values):
            bits = value.reduced.bits
            entries = table[value.low + value.offset - layer.base : value.high + value.offset - layer.base + 1]
            low, high = int(entries.min()), int(entries.max())
            if low == high:
                results.append(Value((ZERO,), low, 0, 0))
                continue
            width = (high - low).bit_length()
            numbers = dict(enumerate((entries - low).tolist(), value.low))
            tables = [sum(((numbers.get(u, 0) >> k) & 1) << u for u in range(2 ** len(bits))) for k in range(width)]
            outputs = netlist.add(CellKind.TABLE, bits, tables, width, f"{node.name}[{channel}]")
            results.append(Value(tuple(outputs), low, 0, high - low))
        return results


HARDWARE = LayerHardware("lookup", LookupUnit, LookupLogic(), compared_form="quantized")
