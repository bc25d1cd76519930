"""Hardware of the sum of two tensors: residual paths."""

from __future__ import annotations

from collections.abc import Sequence

from edgeml.network import Network, Node

from ..architectures.folded.two_streams import TwoStreamsUnit
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import Bit, Netlist
from ..architectures.unrolled.value import Value, spread, sum_value
from ..budget import Family
from ..estimate.parts import Parts
from ..layer_hardware import LayerHardware
from ..verilog.element import Element, type_of

__all__ = ["HARDWARE", "AddLogic", "AddUnit"]


class AddUnit(TwoStreamsUnit):
    """An `edgeml_add`: a value of each stream at once, their sums one clock later."""

    module = "edgeml_add"
    modules = ("edgeml_add.v",)

    @property
    def output(self) -> Element:
        a, b = self.inputs
        return type_of(a.low + b.low, a.high + b.high)

    def add_amounts(self, parts: Parts, family: Family) -> None:
        parts.add("tree", self.pe * self.output.bits)
        parts.flip_flops += self.pe * self.output.bits + 1

    def describe(self) -> str:
        return f"{self.node.inputs[0]} + {self.node.inputs[1]}"


class AddLogic(LayerLogic):
    """An adder for each channel."""

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        results = []
        for channel, (a, b) in enumerate(zip(*inputs, strict=True)):
            columns: list[list[Bit]] = []
            for value in (a, b):
                spread(columns, value.bits)
            note = f"{node.name}[{channel}]"
            results.append(sum_value(netlist, columns, a.low + b.low, a.high + b.high, a.offset + b.offset, note))
        return results


HARDWARE = LayerHardware("add", AddUnit, AddLogic(), compared_form="quantized")
