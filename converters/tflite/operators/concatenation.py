"""CONCATENATION: tensors side by side, whose integers no runtime changes where they have one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Concat, Shared

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Concatenation"]

_OPTIONS = "ConcatenationOptions"


@dataclass(frozen=True, eq=False)
class Concatenation(TfliteOperator):
    """The values of all inputs, one input behind the other, in the order `order` of these; all of one scale, zero point
    and type, as kernels bring others to the output's scale in different ways.

    Parameters
    ----------
    order : int32 [outputs]: of the inputs' values one behind the other, which each output is. They stand in another
        order where tensors of several dimensions are joined along one that is not the first.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.CONCATENATION,)
    input_count: ClassVar[int | None] = None
    one_size: ClassVar[bool] = False
    may_compute_in_place: ClassVar[bool] = False

    order: npt.NDArray[np.int32]

    @classmethod
    def read(cls, found: Found) -> Concatenation:
        if found.activation(_OPTIONS) != "none":
            raise InputError(found.where, "a fused activation is not supported")
        shapes = [tuple(found.tensors.shape(index)) for index in found.indices]
        axis = int(found.option(_OPTIONS, "axis", 0))
        axis += len(shapes[0]) if axis < 0 else 0
        if not 0 < axis < len(shapes[0]) or any(shape[0] != 1 for shape in shapes):
            raise InputError(found.where, f"joins {[list(shape) for shape in shapes]} along axis {axis}, over samples")
        sizes = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
        places = [
            np.arange(first, last, dtype=np.int32).reshape(shape)
            for first, last, shape in zip(sizes, sizes[1:], shapes, strict=False)
        ]
        try:
            order = np.concatenate(places, axis)
        except ValueError as error:
            raise InputError(
                found.where, f"cannot join {[list(shape) for shape in shapes]} along axis {axis}"
            ) from error
        if order.size != found.target.size:
            raise InputError(found.where, f"joins {order.size} values to {found.target.size}")
        return cls(found.target.name, found.inputs, order.reshape(-1))

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.CONCATENATION, 2, sources, target, (_OPTIONS, {"axis": 1}))

    def lower(self, lowering: Lowering) -> None:
        target = lowering.tensors[self.output]
        sources = lowering.sources(self)
        self.require_one_scale([*sources, target])
        if len({(info.zero_point, info.signed) for info in (*sources, target)}) > 1:
            raise InputError(
                f"layer {self.output}",
                "joins integers of different zero points or types",
                "Give its inputs and its output one scale and zero point",
            )
        if len(sources) == 1:
            lowering.same(self)
            return
        in_order = np.array_equal(self.order, np.arange(self.order.size))
        name, size = self.inputs[0], sources[0].size
        for place, (following, info) in enumerate(zip(self.inputs[1:], sources[1:], strict=True), 1):
            last = place == len(self.inputs) - 1
            joined = self.output if last and in_order else f"{self.output}_{place}"
            lowering.add(joined, Concat(size, info.size), (name, following))
            name, size = joined, size + info.size
        if not in_order:
            lowering.add(self.output, Shared((), self.order[:, None], size, target.zero_point), (name,))
