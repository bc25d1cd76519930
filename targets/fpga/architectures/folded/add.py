"""Residual sums in the folded architecture."""

from __future__ import annotations

from edgeml.errors import InputError
from edgeml.network import Add

from ...verilog.text import Element, type_of
from .operation import Operation

__all__ = ["AddOperation"]


class AddOperation(Operation):
    """An `edgeml_add` unit."""

    is_head = True
    module = "edgeml_add"
    modules = ("edgeml_add.v",)
    latency = 1

    @property
    def output(self) -> Element:
        if not isinstance(self.node.layer, Add):
            raise InputError(f"layer {self.node.name}", "is no sum")
        a, b = self.inputs
        return type_of(a.low + b.low, a.high + b.high)

    def parameters(self) -> dict[str, int | str]:
        a, b = self.inputs
        return {
            "LANES": self.pe,
            "A_BITS": a.bits,
            "A_SIGNED": int(a.signed),
            "B_BITS": b.bits,
            "B_SIGNED": int(b.signed),
            "OUTPUT_BITS": self.output.bits,
        }

    def describe(self) -> str:
        return f"{self.node.inputs[0]} + {self.node.inputs[1]}"
