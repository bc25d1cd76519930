"""RELU and RELU6 as operators of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from ..tables import clip_table
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Relu"]


@dataclass(frozen=True)
class Relu(TfliteOperator):
    """RELU or RELU6 as an operator of its own; `limit` is infinity or 6."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.RELU, OperatorKind.RELU6)

    limit: float

    @classmethod
    def read(cls, found: Found) -> Relu:
        return cls(found.target.name, found.inputs, 6.0 if found.kind == OperatorKind.RELU6 else float("inf"))

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        kind = OperatorKind.RELU6 if self.limit == 6 else OperatorKind.RELU
        file.operator(kind, 2, sources, target)

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        self.require_one_scale([source, target])
        lowering.add(self.output, Lookup(clip_table(source, target, self.limit), source.low), self.inputs)
