"""Entry of a segment that does not start with a dense layer or a sum."""

from __future__ import annotations

from ...verilog.text import Element
from .operation import Operation

__all__ = ["PassOperation"]


class PassOperation(Operation):
    """Takes values as they come, at once."""

    is_head = True
    module = "edgeml_pass"
    modules = ("edgeml_pass.v",)
    latency = 0

    @property
    def output(self) -> Element:
        return self.inputs[0]

    def parameters(self) -> dict[str, int | str]:
        return {"WIDTH": self.pe * self.inputs[0].bits}

    def describe(self) -> str:
        return f"input of {self.node.name}"
