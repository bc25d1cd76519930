"""GELU, by a table that the kernel makes in float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from ..tables import function_table
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Gelu"]


@dataclass(frozen=True)
class Gelu(TfliteOperator):
    """x · Φ(x), or with `tanh` its approximation by a hyperbolic tangent."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.GELU,)

    tanh: bool

    @classmethod
    def read(cls, found: Found) -> Gelu:
        return cls(found.target.name, found.inputs, bool(found.option("GeluOptions", "approximate", False)))

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.GELU, 2, sources, target, ("GeluOptions", {"approximate": self.tanh}))

    @property
    def function(self) -> str:
        return "GELU_TANH" if self.tanh else "GELU"

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        lowering.add(self.output, Lookup(function_table(self.function, source, target), source.low), self.inputs)
