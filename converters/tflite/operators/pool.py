"""AVERAGE_POOL_2D and MEAN: the mean of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.network import Concat, Dense
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
    gather : int32 [outputs, window], −1 where the window lies outside; the mean is of what lies inside.
    pools : whether it is a pool, which takes integers as they are; MEAN brings them to the output's scale.
    of_image : whether it is MEAN over height and width of an image, whose dimensions it keeps.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.AVERAGE_POOL_2D, OperatorKind.MEAN)
    one_size: ClassVar[bool] = False

    gather: npt.NDArray[np.int32]
    activation: str
    pools: bool
    of_image: bool = False

    @property
    def has_fast_kernel(self) -> bool:
        return self.of_image

    @classmethod
    def read(cls, found: Found) -> Average:
        pools = found.kind == OperatorKind.AVERAGE_POOL_2D
        of_image = False
        if pools:
            operator = gathering(found, PooledSum)
        else:
            if len(found.indices) != 2:
                raise InputError(found.where, f"takes 2 tensors, found {len(found.indices)}")
            axes = found.tensors.integers(found.indices[1], found.where, _MOST_AXES).reshape(-1)
            operator = gathering(found, PooledSum, axes)
            dimensions = len(found.tensors.shape(found.indices[0]))
            kept = bool(found.option("ReducerOptions", "keep_dims", False))
            of_image = kept and dimensions == 4 and set((axes % dimensions).tolist()) == {1, 2}
        gather = operator.source.astype(np.int32)
        if gather.shape[1] * 255 >= _MOST_ENTRIES:
            raise InputError(found.where, f"a mean of {gather.shape[1]} values; the most is {_MOST_ENTRIES // 255}")
        return cls(
            found.target.name,
            found.inputs,
            gather,
            found.activation("Pool2DOptions") if pools else "none",
            pools,
            of_image,
        )

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        raise InputError(f"layer {self.output}", "a mean is read, and not written")

    def table(self, source: TensorInfo, target: TensorInfo, rounding: str, count: int) -> npt.NDArray[np.int64]:
        """The output for each sum of `count` values, from the least one on.

        A pool: sum / count, ties away from zero. MEAN of XNNPACK: (sum − count·zero point)·float32(si / (so·count)),
        ties to even; of TensorFlow Lite: that sum by the multiplier of si / so, which is divided by the count before,
        its shift raised by the bits that this would lose; of tflite-runtime's usual kernel for images (`ruy_half_up`):
        the sum by the multiplier of si / (so·count), and the zero point's part rounded by itself.
        """
        sums = np.arange(source.low * count, source.high * count + 1, dtype=np.int64)
        if self.pools:
            return _divided(sums, count)
        sums = sums - count * source.zero_point
        si, so = np.float32(source.scale), np.float32(target.scale)
        if rounding == "fp32_rne":
            factor = np.float32(si / np.float32(so * np.float32(count)))
            found: npt.NDArray[np.int64] = np.rint(sums.astype(np.float32) * factor).astype(np.int64)
            return found + target.zero_point
        if rounding == "ruy_half_up":
            multiplier, shift = quantize_multiplier(np.float64(si / np.float32(np.float32(count) * so)))
            scaled = rescale(
                sums + count * source.zero_point, multiplier.astype(np.int64), shift.astype(np.int64), "double_rounding"
            )
            part = float(np.float32(np.float32(source.zero_point) * si / so))
            return scaled + target.zero_point - int(np.float32(part + (0.5 if part > 0 else -0.5)))
        multiplier, shift = quantize_multiplier(np.float64(si) / np.float64(so))
        spare = min(count.bit_length() - 1, 31 + int(shift[0]))
        smaller = (multiplier.astype(np.int64) << spare) // count
        scaled = rescale(sums, smaller, shift.astype(np.int64) - spare, "double_rounding")
        return scaled + target.zero_point

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        rounding = lowering.arithmetic(self).rounding
        if self.pools:
            self.require_one_scale([source, target])
        counts = (self.gather >= 0).sum(axis=1)
        if len(set(counts.tolist())) == 1:
            lowering.add(self.output, self._means(source, target, rounding, self._windows(counts[0])), self.inputs)
            return
        joined, places = "", np.zeros(0, np.int64)
        for count in np.unique(counts):
            name = f"{self.output}_of_{count}"
            lowering.add(name, self._means(source, target, rounding, self._windows(count)), self.inputs)
            found = np.flatnonzero(counts == count)
            if joined:
                both = f"{name}_and_less"
                lowering.add(both, Concat(places.size, found.size), (joined, name))
                name = both
            joined, places = name, np.concatenate([places, found])
        order = np.argsort(places).astype(np.int32)
        lowering.add(self.output, Shared((), order[:, None], places.size), (joined,))

    def _windows(self, count: int) -> npt.NDArray[np.int32]:
        """Of the windows with so many values inside, these, int32 [windows, count]."""
        inside = self.gather >= 0
        chosen = inside.sum(axis=1) == count
        windows: npt.NDArray[np.int32] = self.gather[chosen][inside[chosen]].reshape(-1, count)
        return windows

    def _means(self, source: TensorInfo, target: TensorInfo, rounding: str, windows: npt.NDArray[np.int32]) -> Shared:
        """The means of windows of one size."""
        count = windows.shape[1]
        low, high = fused_bounds(self.activation, target, rounding)
        table = np.clip(self.table(source, target, rounding, count), low, high).astype(np.int32)
        ones = Dense(np.ones((1, count), np.int32), 1, np.zeros(1, np.int32))
        return Shared((ones, Lookup(table, source.low * count)), windows, source.size)


def _divided(sums: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """To the nearest integer, ties away from zero, as (sum ± count / 2) / count in C."""
    return np.asarray(np.sign(sums) * ((np.abs(sums) + count // 2) // count))
