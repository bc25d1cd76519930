"""Convolutions, pools, means and padding: what is done alike at several positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...reading import positions
from ...reading.positions import Window
from ...reading.value import NotAnMlp, Signal, Value
from .applied import Applied, operator, signal


def _sides(a: Applied, spatial: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]):  # type: ignore[no-untyped-def]
    """Elements before and behind each dimension."""
    automatic = a.get("auto_pad", b"NOTSET")
    automatic = automatic.decode("ascii", "replace") if isinstance(automatic, bytes) else automatic
    given = a.get("pads")
    if automatic == "NOTSET":
        return [(0, 0)] * len(kernel) if given is None else positions.pairs(given)
    if automatic == "VALID":
        return [(0, 0)] * len(kernel)
    if automatic not in ("SAME_UPPER", "SAME_LOWER"):
        raise NotAnMlp(f"a padding {automatic!r}")
    sides = []
    for size, length, step, apart in zip(spatial, kernel, stride, dilation, strict=True):
        total = max((-(-size // step) - 1) * step + apart * (length - 1) + 1 - size, 0)
        small, large = total // 2, total - total // 2
        sides.append((small, large) if automatic == "SAME_UPPER" else (large, small))
    return sides


def _window(a: Applied, x: Signal, kernel: Sequence[int]) -> Window:
    dimensions = len(kernel)
    stride = a.get("strides") or [1] * dimensions
    dilation = a.get("dilations") or [1] * dimensions
    if len(x.features) != dimensions + 1 or not len(stride) == len(dilation) == dimensions:
        raise NotAnMlp(f"a window of {dimensions} dimensions over a tensor of shape {x.text}")
    sides = _sides(a, x.features[1:], kernel, stride, dilation)
    return Window(kernel, stride, sides, dilation, bool(a.get("ceil_mode", 0)))


@operator("Conv")
def _conv(a: Applied) -> Value:
    x, weight, bias = signal(a), a.constant(1), a.input(2)
    if weight.ndim not in (3, 4) or isinstance(bias, Signal):
        raise NotAnMlp(f"a convolution with weights of shape {list(weight.shape)}")
    kernel = list(weight.shape[2:])
    if list(a.get("kernel_shape") or kernel) != kernel:
        raise NotAnMlp(f"a kernel of {a.get('kernel_shape')} with weights of shape {list(weight.shape)}")
    return positions.convolution(a.builder, x, weight, bias, _window(a, x, kernel), a.get("group", 1))


@operator("AveragePool")
def _average_pool(a: Applied) -> Value:
    kernel = a.get("kernel_shape")
    if not kernel:
        raise NotAnMlp("a pool without a kernel")
    x = signal(a)
    return positions.pooled(a.builder, x, _window(a, x, kernel), bool(a.get("count_include_pad", 0)))


@operator("MaxPool")
def _max_pool(a: Applied) -> Value:
    kernel = a.get("kernel_shape")
    if not kernel:
        raise NotAnMlp("a pool without a kernel")
    if a.outputs > 1:
        raise NotAnMlp("a pool that gives indices, too")
    a.get("storage_order")  # of the indices, which nobody takes
    x = signal(a)
    return positions.largest(a.builder, x, _window(a, x, kernel))


@operator("GlobalMaxPool")
def _global_max_pool(a: Applied) -> Value:
    x = signal(a)
    return positions.largest(a.builder, x, Window.whole(x.features[1:]))


@operator("GlobalAveragePool")
def _global_average_pool(a: Applied) -> Value:
    x = signal(a)
    return positions.pooled(a.builder, x, Window.whole(x.features[1:]), True)


def _total(kind: str, mean: bool) -> None:
    def function(a: Applied) -> Value:
        axes, keep = a.integers("axes", 1), bool(a.get("keepdims", 1))
        empty = bool(a.get("noop_with_empty_axes", 0))
        x = a.needed(0)
        if not axes and empty:
            return x
        if not isinstance(x, Signal):
            values = a.constant(0)
            chosen = axes if axes else range(values.ndim)
            if any(not -values.ndim <= axis < values.ndim for axis in chosen):
                raise NotAnMlp(f"a sum over dimensions {axes} of a constant of shape {list(values.shape)}")
            return (np.mean if mean else np.sum)(values, axis=tuple(chosen), keepdims=keep)
        if not axes:
            raise NotAnMlp("a sum over the whole batch")
        return positions.reduced(a.builder, x, axes, keep, mean)

    operator(kind)(function)


_total("ReduceMean", True)
_total("ReduceSum", False)


@operator("Split")
def _split(a: Applied) -> Value:
    x = signal(a)
    sizes, count, axis = a.integers("split", 1), a.get("num_outputs", a.outputs), x.axis(a.get("axis", 0))
    whole = x.shape[axis]
    if whole is None or type(count) is not int or count < 1:
        raise NotAnMlp(f"{count!r} pieces of a tensor of shape {x.text}")
    return positions.pieces(a.builder, x, axis, -(-whole // count) if sizes is None else sizes)


@operator("Pad")
def _pad(a: Applied) -> Value:
    x = signal(a)
    numbers, value, axes = a.integers("pads", 1), a.get("value"), a.integers("axes", 3)
    value = (0.0 if a.input(2) is None else a.constant(2)) if value is None else value
    mode = a.get("mode", b"constant")
    if mode not in (b"constant", "constant") or np.any(value) or numbers is None:
        raise NotAnMlp("a padding with other numbers than 0", "Pad with zeros")
    rank = len(x.shape)
    places = list(range(rank)) if axes is None else [x.axis(axis) for axis in axes]
    if len(numbers) != 2 * len(places) or len(set(places)) != len(places):
        raise NotAnMlp(f"a padding {numbers} of a tensor of shape {x.text}")
    sides = [(0, 0)] * rank
    for axis, pair in zip(places, positions.pairs(numbers), strict=True):
        sides[axis] = pair
    if sides[x.batch_axis] != (0, 0):
        raise NotAnMlp("a padding of the samples")
    return positions.padded(x, [pair for axis, pair in enumerate(sides) if axis != x.batch_axis])
