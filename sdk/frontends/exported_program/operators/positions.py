"""Convolutions, pools, means and padding: what is done alike at several positions; parts of tensors, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...reading import joining, positions
from ...reading.builder import MlpBuilder
from ...reading.positions import Window
from ...reading.value import NotAnMlp, Signal, Value
from .registry import as_list, constant, constant_axis, operator, signal


def _each(values: Any, dimensions: int) -> list[Any]:
    """A setting for each dimension; one value is for all."""
    found = list(as_list(values))
    return found * dimensions if len(found) == 1 else found


def _sides(values: Any, kernel: Sequence[int], dilation: Sequence[int]) -> list[tuple[int, int]]:
    if values == "same":
        return positions.same_padding(kernel, dilation)
    if values == "valid":
        return [(0, 0)] * len(kernel)
    if isinstance(values, str):
        raise NotAnMlp(f"a padding {values!r}")
    return [(side, side) for side in _each(values, len(kernel))]


def _convolution(
    b: MlpBuilder, input: Value, weight: Value, bias: Value, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Value:
    rows = constant(weight)
    dimensions = rows.ndim - 2
    if dimensions not in (1, 2):
        raise NotAnMlp(f"a convolution over {dimensions} dimensions", "edgeml reads Conv1d and Conv2d")
    dilation = _each(dilation, dimensions)
    kernel = list(rows.shape[2:])
    window = Window(kernel, _each(stride, dimensions), _sides(padding, kernel, dilation), dilation)
    return positions.convolution(b, signal(input), rows, None if bias is None else constant(bias), window, groups)


@operator("conv1d", "conv2d")
def _conv(
    b: MlpBuilder,
    input: Value,
    weight: Value,
    bias: Value = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Value:
    return _convolution(b, input, weight, bias, stride, padding, dilation, groups)


@operator("convolution")
def _any_convolution(
    b: MlpBuilder,
    input: Value,
    weight: Value,
    bias: Value,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: Any,
    output_padding: Any,
    groups: Any,
) -> Value:
    if transposed:
        raise NotAnMlp("a transposed convolution", "edgeml reads Conv1d and Conv2d")
    return _convolution(b, input, weight, bias, stride, padding, dilation, groups)


def _pool_window(x: Signal, size: Any, stride: Any, padding: Any, dilation: Any, ceil: Any) -> Window:
    """A pool's window over [batch, channels, spatial …]; without a stride windows stand side by side."""
    dimensions = len(x.features) - 1
    kernel = _each(size, dimensions)
    stride = kernel if stride is None or as_list(stride) == [] else _each(stride, dimensions)
    return Window(kernel, stride, _sides(padding, kernel, kernel), _each(dilation, dimensions), bool(ceil))


@operator("avg_pool1d", "avg_pool2d")
def _avg_pool(
    b: MlpBuilder,
    self: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
    divisor_override: Any = None,
) -> Value:
    x = signal(self)
    window = _pool_window(x, kernel_size, stride, padding, 1, ceil_mode)
    return positions.pooled(b, x, window, bool(count_include_pad), divisor_override)


@operator("max_pool1d", "max_pool2d")
def _max_pool(
    b: MlpBuilder,
    self: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
) -> Value:
    x = signal(self)
    return positions.largest(b, x, _pool_window(x, kernel_size, stride, padding, dilation, ceil_mode))


@operator("adaptive_avg_pool1d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d")
def _adaptive_avg_pool(b: MlpBuilder, self: Value, output_size: Any) -> Value:
    x = signal(self)
    spatial = list(x.features[1:])
    sizes = [own if size is None else size for own, size in zip(spatial, _each(output_size, len(spatial)), strict=True)]
    if any(type(size) is not int or size < 1 or own % size for own, size in zip(spatial, sizes, strict=True)):
        raise NotAnMlp(
            f"an adaptive pool from {spatial} to {sizes} elements, whose windows differ in size",
            "Use sizes that divide those of its input",
        )
    kernel = [own // size for own, size in zip(spatial, sizes, strict=True)]
    window = Window(kernel, kernel, [(0, 0)] * len(kernel), [1] * len(kernel))
    return positions.pooled(b, x, window, True)


def _total(name: str, mean: bool) -> None:
    def function(b: MlpBuilder, self: Value, dim: Any = None, keepdim: Any = False, dtype: Any = None) -> Value:
        if not isinstance(self, Signal):
            values = constant(self)
            axes = range(values.ndim) if dim is None else [constant_axis(values, axis) for axis in as_list(dim)]
            return (np.mean if mean else np.sum)(values, axis=tuple(axes), keepdims=bool(keepdim))
        if dim is None:
            raise NotAnMlp(f"a {name} over the whole batch", f"Give it dimensions: {name}(1)")
        return positions.reduced(b, self, as_list(dim), bool(keepdim), mean)

    operator(name)(function)


_total("mean", True)
_total("sum", False)


@operator("unfold")
def _unfold(b: MlpBuilder, self: Value, dimension: Any, size: Any, step: Any) -> Value:
    return positions.windows(b, signal(self), dimension, size, step)


@operator("select")
def _select(b: MlpBuilder, self: Value, dim: Any, index: Any) -> Value:
    if isinstance(self, Signal):
        return positions.chosen(b, self, dim, [index], drop=True)
    return np.take(constant(self), index, axis=constant_axis(self, dim))


@operator("split", "split_with_sizes")
def _split(b: MlpBuilder, self: Value, split_size: Any = None, split_sizes: Any = None, dim: Any = 0) -> Value:
    x = signal(self)
    sizes = split_size if split_sizes is None else split_sizes
    return positions.pieces(b, x, dim, sizes)


@operator("chunk")
def _chunk(b: MlpBuilder, self: Value, chunks: Any, dim: Any = 0) -> Value:
    x = signal(self)
    size = x.shape[x.axis(dim)]
    if type(chunks) is not int or chunks < 1 or size is None:
        raise NotAnMlp(f"{chunks!r} pieces of a tensor of shape {x.text}")
    return positions.pieces(b, x, dim, -(-size // chunks))


@operator("glu")
def _glu(b: MlpBuilder, self: Value, dim: Any = -1) -> Value:
    x = signal(self)
    size = x.shape[x.axis(dim)]
    if size is None or size % 2:
        raise NotAnMlp(f"halves of dimension {dim} of a tensor of shape {x.text}")
    value, gate = positions.pieces(b, x, dim, size // 2)
    return joining.multiplied(b, value, b.sigmoid(gate))


@operator("cat", "concat", "concatenate")
def _cat(b: MlpBuilder, tensors: Any, dim: Any = 0) -> Value:
    parts = as_list(tensors)
    if not any(isinstance(part, Signal) for part in parts):
        values = [constant(part) for part in parts]
        if len({(value.ndim, *np.delete(value.shape, constant_axis(value, dim))) for value in values}) != 1:
            raise NotAnMlp(f"a concatenation of constants of shapes {[list(value.shape) for value in values]}")
        b.budget.constant((sum(value.size for value in values),))
        return np.concatenate(values, axis=dim)
    return joining.concatenated(b, parts, dim)


@operator("constant_pad_nd", "pad")
def _pad(b: MlpBuilder, self: Value, pad: Any, mode: Any = "constant", value: Any = None) -> Value:
    x = signal(self)
    numbers = as_list(pad)
    if mode != "constant" or value not in (None, 0, 0.0):
        raise NotAnMlp(f"a padding of mode {mode!r} with {value!r}", "Pad with zeros")
    if x.batch_axis != 0 or len(numbers) % 2 or len(numbers) > 2 * len(x.features):
        raise NotAnMlp(f"a padding {numbers} of a tensor of shape {x.text}")
    if any(type(number) is not int for number in numbers):
        raise NotAnMlp(f"a padding {numbers}")
    sides = [(numbers[at], numbers[at + 1]) for at in range(0, len(numbers), 2)][::-1]
    return positions.padded(x, [(0, 0)] * (len(x.features) - len(sides)) + sides)
