"""The operators of a file and the tensors between them, while stages become them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.gather import NOTHING

from .operators.moves import Gather, Pad, Reshape
from .operators.operator import TfliteOperator
from .operators.tensor_info import TensorInfo

__all__ = ["Written"]


class Written:
    """What has been written so far.

    Parameters
    ----------
    tensors : by name; grows by what stands between the stages.
    fully_connected : gives the operator of a linear stage that takes the tensor of that name; None where none is added.
    """

    def __init__(
        self,
        tensors: dict[str, TensorInfo],
        fully_connected: Callable[[Any, str], TfliteOperator] | None = None,
    ) -> None:
        self.tensors = tensors
        self._fully_connected = fully_connected
        self.operators: list[TfliteOperator] = []

    def fully_connected(self, stage: Any, rows: str) -> TfliteOperator:
        """The operator of a linear stage that takes the tensor `rows`."""
        assert self._fully_connected is not None
        return self._fully_connected(stage, rows)

    def add(self, operator: TfliteOperator, shape: tuple[int, ...], size: int = 0) -> None:
        """An operator and the shape of its output; of one that the stages do not name, its size, and its input's scale
        and zero point."""
        name = operator.output
        info = replace(self.tensors[operator.inputs[0]], name=name, size=size) if size else self.tensors[name]
        self.tensors[name] = replace(info, shape=() if shape in ((), (info.size,), (1, info.size)) else shape)
        self.operators.append(operator)

    def reshaped(self, name: str, shape: tuple[int, ...], target: str) -> str:
        """The tensor `name` in another shape, called `target` if it has another; gives the name that it has."""
        info = self.tensors[name]
        if info.dimensions == shape or info.stored == shape:
            return name
        self.add(Reshape(target, (name,)), shape, info.size)
        return target

    def flat(self, name: str) -> str:
        """The tensor `name` as [1, size]."""
        target = f"{name}_flat"
        if self.tensors[name].dimensions == (self.tensors[name].size,) or target in self.tensors:
            return name if target not in self.tensors else target
        return self.reshaped(name, (self.tensors[name].size,), target)

    def taken(self, name: str, index: npt.NDArray[np.int64], target: str) -> str:
        """The values `index` of the tensor `name`, 0 where that is −1, called `target`."""
        source = self.flat(name)
        size = self.tensors[source].size
        places = index
        if np.any(index == NOTHING):
            source = self._padded(source, f"{name}_padded")
            places = np.where(index == NOTHING, size, index)
        self.add(Gather(target, (source,), places.astype(np.int32)), (), index.size)
        return target

    def _padded(self, source: str, target: str) -> str:
        if target not in self.tensors:
            self.add(Pad(target, (source,), 0, 1), (), self.tensors[source].size + 1)
        return target
