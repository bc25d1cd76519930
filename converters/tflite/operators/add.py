"""ADD and SUB of two tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.network import Add as AddLayer
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import quantize_multiplier, rescale

from ..schema import OperatorKind
from .fused_activation import ACTIVATIONS, fused_bounds
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["Add", "sum_terms"]

_SPARE_BITS = 20
"""By so many bits the kernels of TensorFlow Lite shift both terms to the left before they bring them to one scale."""


@dataclass(frozen=True)
class SumTerms:
    """What two tensors of different scales are brought to.

    Parameters
    ----------
    first, second : int64 [256], each term for all of its integers.
    multiplier, shift, rounding : how their sum becomes an output, see `Requantize`.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int32]
    rounding: str


def sum_terms(a: TensorInfo, b: TensorInfo, target: TensorInfo, rounding: str) -> SumTerms:
    """By the kernels of XNNPACK for `fp32_rne`, else by TensorFlow Lite's own.

    TensorFlow Lite: with s = 2·max(sa, sb), each term is (q − zero point)·2^20·(its scale / s), rounded; their sum
    times s / (2^20·so) is the output. XNNPACK: each term is (q − zero point)·round(scale / so·2^k), the sum is shifted
    by k, ties up, where k = 20 − the exponent of the larger ratio.
    """
    values = [np.arange(info.low, info.high + 1) - info.zero_point for info in (a, b)]
    if rounding == "fp32_rne":
        ratios = [float(np.float32(info.scale) / np.float32(target.scale)) for info in (a, b)]
        shift = _SPARE_BITS - (int(np.frexp(max(ratios))[1]) - 1)
        first, second = (
            column * int(np.rint(np.ldexp(ratio, shift))) for column, ratio in zip(values, ratios, strict=True)
        )
        return SumTerms(first, second, np.array([2**30], np.int32), np.array([1 - shift], np.int32), "shift")
    largest = 2 * max(np.float64(a.scale), np.float64(b.scale))
    found = []
    for column, info in zip(values, (a, b), strict=True):
        multiplier, power = quantize_multiplier(np.float64(info.scale) / largest)
        scaled = column.astype(np.int64) << _SPARE_BITS
        found.append(rescale(scaled, multiplier.astype(np.int64), power.astype(np.int64), "double_rounding"))
    step = quantize_multiplier(largest / (2.0**_SPARE_BITS * np.float64(target.scale)))
    return SumTerms(found[0], found[1], *step, "double_rounding")


@dataclass(frozen=True)
class Add(TfliteOperator):
    """ADD or SUB of two tensors; where all three scales are equal, every runtime gives the same integers.

    Parameters
    ----------
    activation : as `fused_activation.ACTIVATIONS` names it.
    sign : of the second term: 1 for ADD, −1 for SUB.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.ADD, OperatorKind.SUB)
    input_count: ClassVar[int | None] = 2

    activation: str = "none"
    sign: int = 1

    @classmethod
    def read(cls, found: Found) -> Add:
        kind = "AddOptions" if found.kind == OperatorKind.ADD else "SubOptions"
        sign = 1 if found.kind == OperatorKind.ADD else -1
        return cls(found.target.name, found.inputs, found.activation(kind), sign)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        options = {"fused_activation_function": ACTIVATIONS[self.activation]} if self.activation != "none" else {}
        file.operator(OperatorKind.ADD, 2, sources, target, ("AddOptions", options))

    def lower(self, lowering: Lowering) -> None:
        a, b = lowering.sources(self)
        target = lowering.tensors[self.output]
        rounding = lowering.arithmetic(self).rounding
        low, high = fused_bounds(self.activation, target, rounding)
        if self.sign == 1 and len({a.scale, b.scale, target.scale}) == 1:
            zero_point = target.zero_point - a.zero_point - b.zero_point
            one = np.array([2**30], np.int32), np.array([1], np.int32)
            lowering.add(f"{self.output}_sum", AddLayer(), self.inputs)
            clip = Requantize(*one, lowering.rounding, zero_point, low, high)
            lowering.add(self.output, clip, (f"{self.output}_sum",))
            return
        terms = sum_terms(a, b, target, rounding)
        names = [f"{self.output}_first", f"{self.output}_second"]
        tables = (terms.first, terms.second * self.sign)
        for name, source, info, table in zip(names, self.inputs, (a, b), tables, strict=True):
            lowering.add(name, Lookup(table.astype(np.int32), info.low), (source,))
        lowering.add(f"{self.output}_sum", AddLayer(), names)
        rescaled = Requantize(terms.multiplier, terms.shift, terms.rounding, target.zero_point, low, high)
        lowering.add(self.output, rescaled, (f"{self.output}_sum",))
