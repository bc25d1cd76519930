"""RESHAPE, PAD and GATHER: the same values in another shape or order, which cost the integer network nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network.layers.shared import PADDING

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["Gather", "Pad", "Reshape"]

_MOST_MOVED = 2**20


def _require_kept(operator: TfliteOperator, lowering: Lowering) -> None:
    """InputError if the integers of the operator's output do not stand for the same numbers as those of its input."""
    (source,), target = lowering.sources(operator), lowering.tensors[operator.output]
    operator.require_one_scale([source, target])
    if (source.zero_point, source.signed) != (target.zero_point, target.signed):
        raise InputError(f"layer {operator.output}", "moves integers to a tensor of another zero point or type")


@dataclass(frozen=True)
class Reshape(TfliteOperator):
    """RESHAPE, EXPAND_DIMS or SQUEEZE: the same values in the same order."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.RESHAPE, OperatorKind.EXPAND_DIMS, OperatorKind.SQUEEZE)
    keeps_values: ClassVar[bool] = True
    one_scale: ClassVar[bool] = True
    may_compute_in_place: ClassVar[bool] = False

    @classmethod
    def read(cls, found: Found) -> Reshape:
        return cls(found.target.name, found.inputs)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        shape = np.array([-1, *file.activation_info(self.output).stored[1:]], np.int32)
        constant = file.integers(f"{self.output}_shape", shape)
        file.operator(OperatorKind.RESHAPE, 1, [*sources, constant], target, ("ReshapeOptions", {"new_shape": shape}))

    def lower(self, lowering: Lowering) -> None:
        _require_kept(self, lowering)
        lowering.same(self)


@dataclass(frozen=True)
class Pad(TfliteOperator):
    """PAD of an input [1, size] by integers that stand for 0: so many before it, and so many behind."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.PAD,)
    one_size: ClassVar[bool] = False
    one_scale: ClassVar[bool] = True
    may_compute_in_place: ClassVar[bool] = False

    before: int
    behind: int

    @classmethod
    def read(cls, found: Found) -> Pad:
        source = _only_dimension(found)
        padded = found.tensors.integers(found.indices[1], found.where, 4) if len(found.indices) == 2 else np.zeros(0)
        if padded.shape != (2, 2) or np.any(padded < 0) or np.any(padded[0]):
            raise InputError(found.where, "pads another dimension than the features", "Pad [1, features] at its ends")
        before, behind = (int(count) for count in padded[1])
        if before + source.size + behind != found.target.size:
            raise InputError(found.where, f"pads {source.size} values to {found.target.size}")
        return cls(found.target.name, found.inputs, before, behind)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        padded = file.integers(f"{self.output}_by", np.array([[0, 0], [self.before, self.behind]]))
        file.operator(OperatorKind.PAD, 2, [*sources, padded], target, ("PadOptions", {}))

    def lower(self, lowering: Lowering) -> None:
        _require_kept(self, lowering)
        ends = np.full(self.before, PADDING, np.int32), np.full(self.behind, PADDING, np.int32)
        kept = np.arange(lowering.sources(self)[0].size, dtype=np.int32)
        lowering.move(self, np.concatenate([ends[0], kept, ends[1]]))


@dataclass(frozen=True, eq=False)
class Gather(TfliteOperator):
    """GATHER of an input [1, size]: y[k] = x[index[k]], int32 [outputs]."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.GATHER,)
    one_size: ClassVar[bool] = False
    one_scale: ClassVar[bool] = True
    may_compute_in_place: ClassVar[bool] = False

    index: npt.NDArray[np.int32]

    @classmethod
    def read(cls, found: Found) -> Gather:
        source = _only_dimension(found)
        if len(found.indices) != 2:
            raise InputError(found.where, f"takes 2 tensors, found {len(found.indices)}")
        index = found.tensors.integers(found.indices[1], found.where, _MOST_MOVED).reshape(-1)
        axis, batch = (int(found.option("GatherOptions", name, 0)) for name in ("axis", "batch_dims"))
        if axis not in (1, -1) or batch:
            raise InputError(found.where, f"gathers along axis {axis}, {batch} of them batches; axis 1 is supported")
        if index.size != found.target.size or not np.all((index >= 0) & (index < source.size)):
            raise InputError(found.where, f"gathers {index.size} of {source.size} values to {found.target.size}")
        return cls(found.target.name, found.inputs, index)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        index = file.integers(f"{self.output}_of", self.index)
        file.operator(OperatorKind.GATHER, 2, [*sources, index], target, ("GatherOptions", {"axis": 1}))

    def lower(self, lowering: Lowering) -> None:
        _require_kept(self, lowering)
        lowering.move(self, self.index)


def _only_dimension(found: Found) -> TensorInfo:
    """The input of an operator that takes [1, size]; InputError for other shapes."""
    source = found.tensors.activation(found.indices[0])
    if source.dimensions != (source.size,):
        raise InputError(found.where, f"takes values of shape {list(source.dimensions)}; [1, features] are supported")
    return source
