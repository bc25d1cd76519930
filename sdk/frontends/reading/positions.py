"""Layers that do the same at several positions: linear layers on some dimensions, convolutions, means and pools.

Each becomes an operator that gathers what every position takes. Its values lie position by position, the channels of
a position side by side, whatever the order of dimensions in the model; the signal knows the order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..float_operators.pooled_maximum import PooledMaximum
from ..float_operators.pooled_sum import PooledSum
from .builder import MlpBuilder
from .value import Constant, NotAnMlp, Signal

__all__ = [
    "Window",
    "chosen",
    "convolution",
    "largest",
    "padded",
    "pairs",
    "pieces",
    "pooled",
    "reduced",
    "same_padding",
    "windows",
]

Indices = npt.NDArray[np.int64]


class Window:
    """Which elements of the spatial dimensions each place of a window takes.

    Parameters
    ----------
    kernel, stride, dilation : for each spatial dimension.
    padding : elements before and behind, for each.
    ceil : whether a last window that passes the end is kept, as torch's `ceil_mode` has it.
    """

    def __init__(
        self,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[tuple[int, int]],
        dilation: Sequence[int],
        ceil: bool = False,
    ) -> None:
        numbers = (*kernel, *stride, *dilation)
        if any(type(number) is not int or number < 1 for number in numbers):
            raise NotAnMlp(f"a window of {list(kernel)} with stride {list(stride)} and dilation {list(dilation)}")
        if any(type(side) is not int or not 0 <= side < 2**20 for sides in padding for side in sides):
            raise NotAnMlp(f"a padding of {[list(sides) for sides in padding]}")
        self.kernel, self.stride, self.padding, self.dilation, self.ceil = kernel, stride, padding, dilation, ceil

    @classmethod
    def whole(cls, spatial: Sequence[int]) -> Window:
        """One window over all elements."""
        ones = [1] * len(spatial)
        return cls(list(spatial), ones, [(0, 0)] * len(spatial), ones)

    def _count(self, size: int, axis: int) -> int:
        before, behind = self.padding[axis]
        room = size + before + behind - self.dilation[axis] * (self.kernel[axis] - 1) - 1
        if room < 0:
            raise NotAnMlp(f"a window of {list(self.kernel)} over {size} elements")
        count = room // self.stride[axis] + 1
        if self.ceil and room % self.stride[axis] and count * self.stride[axis] < size + before:
            count += 1
        return count

    def places(self, builder: MlpBuilder, spatial: tuple[int, ...]) -> tuple[tuple[int, ...], Indices, Indices]:
        """(sizes of the result, elements, elements with the padding counted).

        The elements are numbers in the flat spatial dimensions, −1 where padding or nothing stands, int64
        [positions, window]; the others are 1 where an element or padding stands, else 0.
        """
        if not len(spatial) == len(self.kernel) == len(self.stride) == len(self.padding) == len(self.dilation):
            raise NotAnMlp(f"a window of {len(self.kernel)} dimensions over {len(spatial)}")
        sizes = tuple(self._count(size, axis) for axis, size in enumerate(spatial))
        builder.budget.constant((4, *sizes, *self.kernel))
        flat = np.zeros((1, 1), np.int64)
        inside = counted = np.ones((1, 1), bool)
        for axis, (size, count) in enumerate(zip(spatial, sizes, strict=True)):
            before, behind = self.padding[axis]
            start = np.arange(count)[:, None] * self.stride[axis] - before
            at = start + np.arange(self.kernel[axis])[None] * self.dilation[axis]
            flat = _crossed(flat * size, np.clip(at, 0, size - 1), np.add)
            inside = _crossed(inside, (at >= 0) & (at < size), np.logical_and)
            counted = _crossed(counted, at < size + behind, np.logical_and)
        return sizes, np.where(inside, flat, -1), counted.astype(np.int64)


def _crossed(first: Any, second: Any, combine: Any) -> Any:
    """[a, b] and [c, d] → [a·c, b·d], every pair combined."""
    pairs = combine(first[:, None, :, None], second[None, :, None, :])
    return pairs.reshape(first.shape[0] * second.shape[0], first.shape[1] * second.shape[1])


def _channels_first(x: Signal, dimensions: int, what: str) -> tuple[int, tuple[int, ...], Indices]:
    """(channels, spatial sizes, places [channels, elements]) of [batch, channels, spatial …]."""
    if x.batch_axis != 0 or len(x.features) != dimensions + 1:
        raise NotAnMlp(
            f"{what} over a tensor of shape {x.text}", f"It takes [batch, channels{', size' * dimensions}] in edgeml"
        )
    channels, *spatial = x.features
    return channels, tuple(spatial), x.places.reshape(channels, -1)


def convolution(
    builder: MlpBuilder, x: Signal, weight: Constant, bias: Constant | None, window: Window, groups: int
) -> Signal:
    """A convolution of x [batch, channels, spatial …] as torch and ONNX have it: weight [outputs, channels / groups,
    kernel …], bias [outputs] or None."""
    channels, spatial, places = _channels_first(x, weight.ndim - 2, "a convolution")
    outputs, inner = weight.shape[:2]
    if type(groups) is not int or groups < 1 or outputs % groups or inner * groups != channels:
        raise NotAnMlp(f"weights of shape {list(weight.shape)} in {groups} groups for an input of shape {x.text}")
    if tuple(weight.shape[2:]) != tuple(window.kernel):
        raise NotAnMlp(f"weights of shape {list(weight.shape)} for a kernel of {list(window.kernel)}")
    sizes, elements, _ = window.places(builder, spatial)
    size = elements.shape[1]
    builder.budget.constant((3, len(elements), channels * size))
    taken = np.where(elements == -1, -1, places[:, np.maximum(elements, 0)])
    # [groups, channels of a group, positions, window] → [positions, groups, window, channels of a group]
    index = taken.reshape(groups, inner, *elements.shape).transpose(2, 0, 3, 1).reshape(len(elements), -1)
    rows = weight.reshape(groups, outputs // groups, inner, size).transpose(0, 1, 3, 2).reshape(outputs, -1)
    builder.budget.constant((outputs, channels * size))
    matrix = np.zeros((groups, outputs // groups, groups, size * inner))
    for group in range(groups):
        matrix[group, :, group] = rows.reshape(groups, outputs // groups, -1)[group]
    bias = np.zeros(outputs) if bias is None else builder.vector("bias", bias, outputs)
    given = np.moveaxis(np.arange(len(elements) * outputs).reshape(*sizes, outputs), -1, 0)
    operator = builder.shared(x, matrix.reshape(outputs, -1), bias, index, groups)
    return builder.gathered(operator, x, given, 0, "conv")


def pooled(builder: MlpBuilder, x: Signal, window: Window, count_padding: bool, divisor: int | None = None) -> Signal:
    """The mean over windows of [batch, channels, spatial …], padding counted as 0 or not counted; or the sum divided by
    `divisor`."""
    channels, spatial, places = _channels_first(x, len(window.kernel), "a pool")
    sizes, elements, counted = window.places(builder, spatial)
    builder.budget.constant((3, channels, *elements.shape))
    taken = np.where(elements == -1, -1, places[:, np.maximum(elements, 0)])
    index = taken.transpose(1, 0, 2).reshape(-1, elements.shape[1])
    given = np.moveaxis(np.arange(len(index)).reshape(*sizes, channels), -1, 0)
    sums = builder.gathered(PooledSum(index.astype(np.float64), builder.node_size(x)), x, given, 0, "pool")
    numbers = counted.sum(axis=1) if count_padding else (elements != -1).sum(axis=1)
    if divisor is not None:
        numbers = np.full(len(elements), divisor)
    if np.any(numbers < 1):
        raise NotAnMlp("a mean over padding alone")
    return builder.affine(sums, 1.0 / numbers.reshape(1, 1, *sizes), 0.0)


def largest(builder: MlpBuilder, x: Signal, window: Window) -> Signal:
    """The largest value of each window over [batch, channels, spatial …]; padding is smaller than any."""
    channels, spatial, places = _channels_first(x, len(window.kernel), "a pool")
    sizes, elements, _ = window.places(builder, spatial)
    builder.budget.constant((3, channels, *elements.shape))
    within = elements != -1
    if not within.any(axis=1).all():
        raise NotAnMlp("a maximum over padding alone")
    # A value that is named twice changes no maximum.
    first = elements[np.arange(len(elements)), within.argmax(axis=1)]
    index = places[:, np.where(within, elements, first[:, None])].transpose(1, 0, 2).reshape(-1, elements.shape[1])
    given = np.moveaxis(np.arange(len(index)).reshape(*sizes, channels), -1, 0)
    operator = PooledMaximum(index.astype(np.float64), builder.node_size(x))
    return builder.gathered(operator, x, given, 0, "pool")


def reduced(builder: MlpBuilder, x: Signal, axes: Sequence[int], keep: bool, mean: bool) -> Signal:
    """The sum or mean over dimensions `axes` of the features, counted from the front, the batch among them."""
    if builder.is_input(x):
        raise NotAnMlp("a sum of the model's own inputs")
    chosen = sorted({x.axis(axis) for axis in axes})
    if x.batch_axis in chosen or not chosen:
        raise NotAnMlp(f"a sum over the samples of {x.text}", "Take it over positions or channels of each")
    features = [axis - (axis > x.batch_axis) for axis in chosen]
    rest = [axis for axis in range(len(x.features)) if axis not in features]
    count = math.prod(x.features[axis] for axis in features)
    index = x.places.transpose([*rest, *features]).reshape(-1, count)
    # Outputs lie in the order of what they take first, so that channels stay side by side.
    order = np.argsort(index[:, 0], kind="stable")
    kept = [1 if axis in features else size for axis, size in enumerate(x.features)] if keep else None
    shape = kept if kept is not None else [x.features[axis] for axis in rest]
    batch_axis = x.batch_axis if keep else x.batch_axis - sum(axis < x.batch_axis for axis in chosen)
    given = np.argsort(order).reshape(shape)
    sums = builder.gathered(
        PooledSum(index[order].astype(np.float64), builder.node_size(x)),
        x,
        given,
        batch_axis,
        "mean" if mean else "sum",
    )
    return builder.affine(sums, 1.0 / count, 0.0) if mean else sums


def _along(builder: MlpBuilder, x: Signal, axis: Any) -> int:
    """A dimension of the features by its number in the tensor."""
    found = x.axis(axis)
    if found == x.batch_axis:
        raise NotAnMlp(f"it takes a part of the samples of a tensor of shape {x.text}")
    return found - (found > x.batch_axis)


def chosen(builder: MlpBuilder, x: Signal, axis: Any, indices: Sequence[int], drop: bool = False) -> Signal:
    """The elements at `indices` of a dimension, negative ones counted from its end; `drop`: the one, without it."""
    if builder.is_input(x):
        raise NotAnMlp("a part of the model's own inputs")
    along = _along(builder, x, axis)
    size = x.features[along]
    if not len(indices) or any(type(index) is not int or not -size <= index < size for index in indices):
        raise NotAnMlp(f"it chooses elements that a tensor of shape {x.text} does not have")
    builder.budget.constant((x.size // size, len(indices)))
    places = np.take(x.places, np.asarray(indices) % size, axis=along)
    batch_axis = x.batch_axis
    if drop:
        places = places.squeeze(along)
        batch_axis -= along < batch_axis
    return x.moved(places, batch_axis)


def pieces(builder: MlpBuilder, x: Signal, axis: Any, sizes: Any) -> list[Signal]:
    """`x` cut along a dimension into pieces of the given sizes; an integer is the size of each but the last."""
    whole = x.features[_along(builder, x, axis)]
    if type(sizes) is int and sizes > 0:
        sizes = [min(sizes, whole - first) for first in range(0, whole, sizes)]
    if not isinstance(sizes, (list, tuple)) or any(type(size) is not int or size < 1 for size in sizes):
        raise NotAnMlp(f"pieces of {sizes!r}")
    if sum(sizes) != whole:
        raise NotAnMlp(f"a tensor of shape {x.text} in pieces of {list(sizes)[:8]}")
    ends = np.cumsum(sizes).tolist()
    return [chosen(builder, x, axis, range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]


def windows(builder: MlpBuilder, x: Signal, axis: Any, size: Any, step: Any) -> Signal:
    """All windows of `size` elements of a dimension, `step` apart, the window as a new last dimension."""
    along = _along(builder, x, axis)
    whole = x.features[along]
    if type(size) is not int or type(step) is not int or not 0 < size <= whole or step < 1:
        raise NotAnMlp(f"windows of {size!r} elements, {step!r} apart, of a tensor of shape {x.text}")
    count = (whole - size) // step + 1
    builder.budget.constant((x.size // whole, count, size))
    found = np.lib.stride_tricks.sliding_window_view(x.places, size, axis=along)
    return x.moved(np.ascontiguousarray(np.take(found, np.arange(count) * step, axis=along)), x.batch_axis)


def padded(x: Signal, sides: Sequence[tuple[int, int]]) -> Signal:
    """`x` with zeros before and behind each of its features' dimensions; negative numbers take elements away."""
    places = x.places
    for axis, (before, behind) in enumerate(sides):
        size = places.shape[axis]
        if size + min(before, 0) + min(behind, 0) < 1:
            raise NotAnMlp(f"a padding of {list(sides)} that leaves nothing of {x.text}")
        places = np.take(places, range(max(-before, 0), size - max(-behind, 0)), axis=axis)
    widths = [(max(before, 0), max(behind, 0)) for before, behind in sides]
    if math.prod(size + sum(width) for size, width in zip(places.shape, widths, strict=True)) > 2**23:
        raise NotAnMlp(f"a padding of {list(sides)}")
    return x.moved(np.pad(places, widths, constant_values=-1), x.batch_axis)


def same_padding(kernel: Sequence[int], dilation: Sequence[int]) -> list[tuple[int, int]]:
    """Elements before and behind that keep the size at stride 1, the odd one behind, as torch's "same" has it."""
    totals = (step * (size - 1) for size, step in zip(kernel, dilation, strict=True))
    return [(total // 2, total - total // 2) for total in totals]


def pairs(values: Sequence[int]) -> list[tuple[int, int]]:
    """ONNX's pads, all begins and then all ends, by dimension."""
    half = len(values) // 2
    return list(zip(values[:half], values[half:], strict=True))
