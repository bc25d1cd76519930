"""LOGISTIC and TANH, by tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from ..tables import function_table
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Function"]


@dataclass(frozen=True)
class Function(TfliteOperator):
    """LOGISTIC or TANH by its `name` in the file."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.LOGISTIC, OperatorKind.TANH)

    name: str

    @classmethod
    def read(cls, found: Found) -> Function:
        return cls(found.target.name, found.inputs, found.kind.name)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind[self.name], 2, sources, target)

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        lowering.add(self.output, Lookup(function_table(self.name, source, target), source.low), self.inputs)

    @property
    def gives_probability(self) -> bool:
        return self.name == OperatorKind.LOGISTIC.name

    @property
    def function(self) -> str:
        return self.name
