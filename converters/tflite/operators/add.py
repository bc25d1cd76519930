"""ADD: the sum of two tensors of one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgeml.errors import InputError
from edgeml.network import Add as AddLayer
from edgeml.network.layers.requantize import Requantize

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Add"]


@dataclass(frozen=True)
class Add(TfliteOperator):
    """ADD of two tensors; exact in every runtime where all three scales are equal."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.ADD,)
    input_count: ClassVar[int] = 2

    @classmethod
    def read(cls, found: Found) -> Add:
        if found.option("AddOptions", "fused_activation_function", 0):
            raise InputError(found.where, "a fused activation is not supported")
        return cls(found.target.name, found.inputs)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.ADD, 2, sources, target, ("AddOptions", {}))

    def lower(self, lowering: Lowering) -> None:
        a, b = lowering.sources(self)
        target = lowering.tensors[self.output]
        self.require_one_scale([a, b, target])
        zero_point = target.zero_point - a.zero_point - b.zero_point
        one = np.array([2**30], np.int32), np.array([1], np.int32)
        clip = Requantize(*one, lowering.rounding, zero_point, target.low, target.high)
        lowering.add(f"{self.output}_sum", AddLayer(), self.inputs)
        lowering.add(self.output, clip, (f"{self.output}_sum",))
