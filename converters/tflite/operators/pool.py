"""AVERAGE_POOL_2D and MEAN: the mean of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.network import Dense
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.shared import Shared
from edgeml.network.rounding import quantize_multiplier, rescale

from ..schema import OperatorKind
from .fused_activation import fused_bounds
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .positions import gathering
from .tensor_info import TensorInfo

__all__ = ["Average"]

_MOST_ENTRIES = 2**16
_MOST_AXES = 4


@dataclass(frozen=True, eq=False)
class Average(TfliteOperator):
    """AVERAGE_POOL_2D, or MEAN over positions: a sum of integers, and a table of what it is divided to.

    Parameters
    ----------
    gather : int32 [outputs, window], −1 where the window lies outside.
    pools : whether it is a pool, which takes integers as they are; MEAN brings them to the output's scale.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.AVERAGE_POOL_2D, OperatorKind.MEAN)
    one_size: ClassVar[bool] = False

    gather: npt.NDArray[np.int32]
    activation: str
    pools: bool

    @classmethod
    def read(cls, found: Found) -> Average:
        pools = found.kind == OperatorKind.AVERAGE_POOL_2D
        if pools:
            operator = gathering(found, PooledSum)
        else:
            if len(found.indices) != 2:
                raise InputError(found.where, f"takes 2 tensors, found {len(found.indices)}")
            operator = gathering(
                found, PooledSum, found.tensors.integers(found.indices[1], found.where, _MOST_AXES).reshape(-1)
            )
        gather = operator.source.astype(np.int32)
        if np.any(gather == -1):
            raise InputError(
                found.where, "windows of different sizes at the edges", "Use padding 'valid' in average pools"
            )
        if gather.shape[1] * 255 >= _MOST_ENTRIES:
            raise InputError(found.where, f"a mean of {gather.shape[1]} values; the most is {_MOST_ENTRIES // 255}")
        return cls(
            found.target.name,
            found.inputs,
            gather,
            found.activation("Pool2DOptions") if pools else "none",
            pools,
        )

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        raise InputError(f"layer {self.output}", "a mean is read, and not written")

    def table(self, source: TensorInfo, target: TensorInfo, rounding: str) -> npt.NDArray[np.int64]:
        """The output for each sum of the window, from the least one on.

        A pool: sum / count, ties away from zero. MEAN of XNNPACK: (sum − count·zero point)·float32(si / (so·count)),
        ties to even; of TensorFlow Lite: that sum by the multiplier of si / so, which is divided by the count before,
        its shift raised by the bits that this would lose.
        """
        count = self.gather.shape[1]
        sums = np.arange(source.low * count, source.high * count + 1, dtype=np.int64)
        if self.pools:
            return _divided(sums, count)
        sums = sums - count * source.zero_point
        si, so = np.float32(source.scale), np.float32(target.scale)
        if rounding == "fp32_rne":
            factor = np.float32(si / np.float32(so * np.float32(count)))
            found: npt.NDArray[np.int64] = np.rint(sums.astype(np.float32) * factor).astype(np.int64)
            return found + target.zero_point
        multiplier, shift = quantize_multiplier(np.float64(si) / np.float64(so))
        spare = min(count.bit_length() - 1, 31 + int(shift[0]))
        smaller = (multiplier.astype(np.int64) << spare) // count
        scaled: npt.NDArray[np.int64] = rescale(sums, smaller, shift.astype(np.int64) - spare, "double_rounding")
        return scaled + target.zero_point

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        rounding = lowering.arithmetic(self).rounding
        if self.pools:
            self.require_one_scale([source, target])
        low, high = fused_bounds(self.activation, target, rounding)
        table = np.clip(self.table(source, target, rounding), low, high).astype(np.int32)
        ones = Dense(np.ones((1, self.gather.shape[1]), np.int32), 1, np.zeros(1, np.int32))
        layer = Shared((ones, Lookup(table, source.low * self.gather.shape[1])), self.gather, source.size)
        lowering.add(self.output, layer, self.inputs)


def _divided(sums: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """To the nearest integer, ties away from zero, as (sum ± count / 2) / count in C."""
    return np.asarray(np.sign(sums) * ((np.abs(sums) + count // 2) // count))
