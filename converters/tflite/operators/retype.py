"""QUANTIZE between integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from ..tables import retype_table
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Retype"]


@dataclass(frozen=True)
class Retype(TfliteOperator):
    """QUANTIZE between int8 and uint8 of one scale: the same real values in another type."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.QUANTIZE,)
    keeps_values: ClassVar[bool] = True

    @classmethod
    def read(cls, found: Found) -> Retype:
        return cls(found.target.name, found.inputs)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.QUANTIZE, 2, sources, target, ("QuantizeOptions", {}))

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        self.require_one_scale([source, target])
        if source.signed == target.signed and source.zero_point == target.zero_point:
            lowering.same(self)
        else:
            lowering.add(self.output, Lookup(retype_table(source, target), source.low), self.inputs)
