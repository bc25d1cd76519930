"""QUANTIZE between integers: another type, zero point or scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from ..tables import retype_table
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .scaled import scaled_integers
from .tensor_info import TensorInfo

__all__ = ["Retype"]


@dataclass(frozen=True)
class Retype(TfliteOperator):
    """QUANTIZE of 8-bit integers: the same real values in another type, or rounded to another scale."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.QUANTIZE,)
    keeps_values: ClassVar[bool] = True

    @classmethod
    def read(cls, found: Found) -> Retype:
        return cls(found.target.name, found.inputs)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.QUANTIZE, 2, sources, target, ("QuantizeOptions", {}))

    def table(self, source: TensorInfo, target: TensorInfo, rounding: str) -> npt.NDArray[np.int32]:
        """The output for each input integer; InputError for `shift`, as runtimes differ."""
        if rounding == "shift":
            self.require_one_scale([source, target])
        x = np.arange(source.low, source.high + 1, dtype=np.int64) - source.zero_point
        if rounding == "fp32_rne":
            factor = float(np.float32(source.scale) / np.float32(target.scale))
        else:
            factor = float(source.scale) / float(target.scale)
        found = scaled_integers(x, factor, rounding) + target.zero_point
        return np.clip(found, target.low, target.high).astype(np.int32)

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        if source.scale != target.scale:
            rule = lowering.arithmetic(self).rounding
            lowering.add(self.output, Lookup(self.table(source, target, rule), source.low), self.inputs)
        elif source.signed == target.signed and source.zero_point == target.zero_point:
            lowering.same(self)
        else:
            lowering.add(self.output, Lookup(retype_table(source, target), source.low), self.inputs)
