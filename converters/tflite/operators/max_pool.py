"""MAX_POOL_2D: the largest value of each window, in which no runtime rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Maximum
from edgeml.network.layers.shared import PADDING

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["MaxPool"]

_SAME, _VALID = 0, 1
_MOST_LOOKED_AT = 2**22


@dataclass(frozen=True)
class MaxPool(TfliteOperator):
    """MAX_POOL_2D of an input [height, width, channels].

    Parameters
    ----------
    window, stride : (height, width).
    same : whether windows go over the borders (padding SAME), where they hold fewer values; else VALID.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.MAX_POOL_2D,)
    one_size: ClassVar[bool] = False
    one_scale: ClassVar[bool] = True
    may_compute_in_place: ClassVar[bool] = False

    window: tuple[int, int]
    stride: tuple[int, int]
    same: bool = False

    @classmethod
    def read(cls, found: Found) -> MaxPool:
        option = {
            name: int(found.option("Pool2DOptions", name, 0))
            for name in ("padding", "stride_h", "stride_w", "filter_height", "filter_width")
        }
        if found.option("Pool2DOptions", "fused_activation_function", 0):
            raise InputError(found.where, "a fused activation is not supported")
        window, stride = (option["filter_height"], option["filter_width"]), (option["stride_h"], option["stride_w"])
        source = found.tensors.activation(found.indices[0])
        if min(*window, *stride) < 1 or option["padding"] not in (_SAME, _VALID) or len(source.dimensions) != 3:
            raise InputError(found.where, f"windows {window} by {stride} of {list(source.dimensions)} are not sound")
        pool = cls(found.target.name, found.inputs, window, stride, option["padding"] == _SAME)
        if pool.source(source).shape[0] != found.target.size:
            raise InputError(found.where, f"gives {found.target.size} values, which its windows do not")
        return pool

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        options = {
            "padding": _SAME if self.same else _VALID,
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "filter_height": self.window[0],
            "filter_width": self.window[1],
        }
        file.operator(OperatorKind.MAX_POOL_2D, 2, sources, target, ("Pool2DOptions", options))

    def source(self, source: TensorInfo) -> npt.NDArray[np.int32]:
        """What each output looks at, int32 [outputs, values]; windows over the border name a value twice."""
        height, width, channels = source.dimensions
        if height * width * channels * self.window[0] * self.window[1] > _MOST_LOOKED_AT:
            raise InputError(f"MAX_POOL_2D {self.output}", f"windows look at more than {_MOST_LOOKED_AT} values")
        rows, columns = (
            _places(size, window, stride, self.same)
            for size, window, stride in zip((height, width), self.window, self.stride, strict=True)
        )
        at = (rows[:, None, :, None] * width + columns[None, :, None, :]) * channels  # [rows, columns, window …]
        looked_at = at.reshape(-1, 1, self.window[0] * self.window[1]) + np.arange(channels)[:, None]
        return looked_at.reshape(-1, looked_at.shape[-1]).astype(np.int32)

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        self.require_one_scale([source, target])
        if (source.zero_point, source.signed) != (target.zero_point, target.signed):
            raise InputError(f"layer {self.output}", "gives integers of another zero point or type than it takes")
        taken = lowering.taken(self.inputs[0])
        name, index = taken.name, taken.index
        if np.any(index == PADDING):
            name, index = lowering.node(self.inputs[0]), np.arange(source.size, dtype=np.int32)
            lowering.add(self.output, Maximum(self.source(source), source.size), (name,))
            return
        lowering.add(self.output, Maximum(index[self.source(source)], lowering.tensors[name].size), (name,))


def _places(size: int, window: int, stride: int, same: bool) -> npt.NDArray[np.int64]:
    """Of each window along one dimension the places that it looks at, [windows, window]."""
    count = -(-size // stride) if same else (size - window) // stride + 1
    before = max((count - 1) * stride + window - size, 0) // 2 if same else 0
    starts = np.arange(max(count, 0)) * stride - before
    places: npt.NDArray[np.int64] = starts[:, None] + np.arange(window)
    return np.minimum(np.maximum(places, np.maximum(starts, 0)[:, None]), size - 1)
