"""LEAKY_RELU: two scales, one for each sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from .operator import Arithmetic, FileWriter, Found, Lowering, TfliteOperator
from .scaled import scaled_integers, xnnpack_takes
from .tensor_info import TensorInfo

__all__ = ["LeakyRelu"]


@dataclass(frozen=True)
class LeakyRelu(TfliteOperator):
    """x for x ≥ 0, else alpha · x, brought to the output's scale."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.LEAKY_RELU,)
    float32_scales: ClassVar[bool] = True

    alpha: float

    @classmethod
    def read(cls, found: Found) -> LeakyRelu:
        alpha = float(found.option("LeakyReluOptions", "alpha", 0.0))
        if not 0 <= alpha < np.inf:
            raise InputError(found.where, f"alpha is {alpha}; 0 and more are supported")
        return cls(found.target.name, found.inputs, alpha)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.LEAKY_RELU, 2, sources, target, ("LeakyReluOptions", {"alpha": self.alpha}))

    def table(self, source: TensorInfo, target: TensorInfo, arithmetic: Arithmetic) -> npt.NDArray[np.int32]:
        """The output for each input integer; TensorFlow Lite multiplies scales in float32, TFLite Micro in float64."""
        x = np.arange(source.low, source.high + 1, dtype=np.int64) - source.zero_point
        si, so = np.float32(source.scale), np.float32(target.scale)
        alpha = np.float32(self.alpha)
        rounding = arithmetic.rounding
        with np.errstate(over="ignore"):  # what is no factor then is refused by its size
            factors = float(si / so), float(si / so * alpha)
            if rounding == "fp32_rne" and not all(xnnpack_takes(factor) for factor in factors):
                rounding = "double_rounding"
            if rounding != "fp32_rne":
                factors = float(si / so), float(si * alpha / so)
                if not (arithmetic.float32_product or arithmetic.rounding == "fp32_rne"):
                    factors = float(si) / float(so), float(si) * float(alpha) / float(so)
        positive, negative = (scaled_integers(x, factor, rounding) for factor in factors)
        found = np.where(x >= 0, positive, negative) + target.zero_point
        table: npt.NDArray[np.int32] = np.clip(found, target.low, target.high).astype(np.int32)
        return table

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        table = self.table(source, target, lowering.arithmetic(self))
        lowering.add(self.output, Lookup(table, source.low), self.inputs)
