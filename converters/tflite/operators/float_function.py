"""ELU between DEQUANTIZE and QUANTIZE, as converters leave it: real numbers in float32, of one 8-bit integer each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.lookup import Lookup

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["Between", "FloatFunction", "merged"]

_BETWEEN = OperatorKind.DEQUANTIZE, OperatorKind.QUANTIZE


class Between(dict[str, Any]):
    """What is read of three operators that are one: the `inputs` of the first, and the `outputs` of the last."""


def merged(operators: Sequence[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """The operators (kind, table), in which DEQUANTIZE, ELU, QUANTIZE are one where nothing else takes what lies
    between them."""
    given = {int(table["outputs"][0]): place for place, (_, table) in enumerate(operators) if table["outputs"].size}
    takers: dict[int, list[int]] = {}
    for place, (_, table) in enumerate(operators):
        for index in table["inputs"].tolist():
            takers.setdefault(index, []).append(place)
    changed: dict[int, tuple[int, Any] | None] = {}
    for place, (kind, table) in enumerate(operators):
        if kind != OperatorKind.ELU or table["inputs"].size != 1 or table["outputs"].size != 1:
            continue
        source, target = int(table["inputs"][0]), int(table["outputs"][0])
        before, behind = given.get(source, -1), takers.get(target, [])
        if before < 0 or len(behind) != 1 or takers[source] != [place]:
            continue
        ends = operators[before], operators[behind[0]]
        if (ends[0][0], ends[1][0]) == _BETWEEN and ends[0][1]["inputs"].size == ends[1][1]["outputs"].size == 1:
            changed |= {before: None, place: None}
            whole = Between(inputs=ends[0][1]["inputs"], outputs=ends[1][1]["outputs"], builtin_options=None)
            changed[behind[0]] = (kind, whole)
    found = [changed.get(place, entry) for place, entry in enumerate(operators)]
    return [entry for entry in found if entry is not None]


@dataclass(frozen=True)
class FloatFunction(TfliteOperator):
    """ELU: x for x ≥ 0, else eˣ − 1; of s · (q − zero point) in float32, quantized again."""

    @classmethod
    def read(cls, found: Found) -> FloatFunction:
        return cls(found.target.name, found.inputs)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        stored = file.activation_info(self.output).stored
        before, behind = (file.real(f"{self.output}_{word}", stored) for word in ("before", "behind"))
        file.operator(OperatorKind.DEQUANTIZE, 2, sources, before, ("DequantizeOptions", {}))
        file.operator(OperatorKind.ELU, 1, [before], behind)
        file.operator(OperatorKind.QUANTIZE, 1, [behind], target, ("QuantizeOptions", {}))

    def table(self, source: TensorInfo, target: TensorInfo, rounding: str) -> npt.NDArray[np.int32]:
        """The output for each input integer: XNNPACK multiplies by 1 / scale, ties to even, others divide, ties away
        from zero."""
        x = np.float32(source.scale) * np.float32(np.arange(source.low, source.high + 1) - source.zero_point)
        y = np.where(x >= 0, x, np.expm1(x.astype(np.float64)).astype(np.float32)).astype(np.float32)
        if rounding == "fp32_rne":
            steps = np.rint(y * (np.float32(1) / np.float32(target.scale)))
        else:
            steps = y / np.float32(target.scale)
            steps = np.copysign(np.floor(np.abs(steps.astype(np.float64)) + 0.5), steps)
        found: npt.NDArray[np.int32] = np.clip(steps + target.zero_point, target.low, target.high).astype(np.int32)
        return found

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        table = self.table(source, target, lowering.arithmetic(self).rounding)
        lowering.add(self.output, Lookup(table, source.low), self.inputs)
