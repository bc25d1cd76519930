"""Entry of a chain of units whose first layer takes no streams by itself."""

from __future__ import annotations

from ...budget import Family
from ...estimate.parts import Parts
from ...verilog.element import Element
from .unit import Unit

__all__ = ["EntryUnit"]


class EntryUnit(Unit):
    """Takes values as they come, at once, for the layer behind it."""

    takes_streams = True
    clocked = False
    module = "edgeml_pass"
    modules = ("edgeml_pass.v",)
    latency = 0

    @property
    def name(self) -> str:
        return f"{self.node.name}_entry"

    @property
    def output(self) -> Element:
        return self.inputs[0]

    def parameters(self) -> dict[str, int | str]:
        return {"WIDTH": self.pe * self.inputs[0].bits}

    def add_amounts(self, parts: Parts, family: Family) -> None:
        parts.add("tree", self.pe * self.output.bits)
        parts.flip_flops += self.pe * self.output.bits

    def describe(self) -> str:
        return f"input of {self.node.name}"
