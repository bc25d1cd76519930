"""Layers and pools: tensors are [batch, height, width, channels] in these files, channels last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeml.frontends.reading import arithmetic, positions, shapes
from edgeml.frontends.reading.positions import Window
from edgeml.frontends.reading.value import BATCH, NotAnMlp, Signal, Value

from ..schema import OperatorKind
from .applied import Applied, operator

__all__: list[str] = []

_SAME, _VALID = 0, 1
_FIRST, _LAST = [0, 3, 1, 2], [0, 2, 3, 1]
"""Channels to the front, as the layers take them, and back."""


@operator(OperatorKind.FULLY_CONNECTED)
def _fully_connected(a: Applied) -> Value:
    x, weight, bias = a.signal(), a.constant(1), a.bias(2)
    if a.option("weights_format", 0) or weight.ndim != 2:
        raise NotAnMlp(f"weights of shape {list(weight.shape)} in an order of their own")
    if not a.option("keep_num_dims", 0) and len(x.shape) != 2:
        x = shapes.reshape(x, [BATCH, x.size])
    return a.activated(a.builder.linear(x, weight.astype(np.float64), bias))


@operator(OperatorKind.BATCH_MATMUL)
def _batch_matmul(a: Applied) -> Value:
    if a.option("adj_x", 0) or a.option("adj_y", 0):
        raise NotAnMlp("a matrix product of transposed tensors")
    return arithmetic.matrix_product(a.builder, a.needed(0), a.needed(1))


def _image(a: Applied) -> Signal:
    """The first input with its channels in front."""
    x = a.signal()
    if len(x.shape) != 4 or x.batch_axis != 0:
        raise NotAnMlp(f"a window over a tensor of shape {x.text}")
    moved = shapes.permute(x, _FIRST)
    assert isinstance(moved, Signal)
    return moved


def _window(a: Applied, x: Signal, kernel: Sequence[int]) -> Window:
    """SAME pads with as much behind as before, one more behind where that is odd."""
    stride = [int(a.option("stride_h", 1)), int(a.option("stride_w", 1))]
    pool = a.options is not None and a.options.kind == "Pool2DOptions"
    dilation = [1, 1] if pool else [int(a.option("dilation_h_factor", 1)), int(a.option("dilation_w_factor", 1))]
    padding = int(a.option("padding", _SAME))
    if padding not in (_SAME, _VALID) or min(*stride, *dilation) < 1:
        raise NotAnMlp(f"a window of stride {stride}, dilation {dilation} and padding {padding}")
    sides = [(0, 0), (0, 0)]
    if padding == _SAME:
        for axis, (size, length) in enumerate(zip(x.features[1:], kernel, strict=True)):
            reach = dilation[axis] * (length - 1) + 1
            total = max((-(-size // stride[axis]) - 1) * stride[axis] + reach - size, 0)
            sides[axis] = (total // 2, total - total // 2)
    return Window(list(kernel), stride, sides, dilation)


@operator(OperatorKind.CONV_2D)
def _convolution(a: Applied) -> Value:
    """Weights [outputs, height, width, channels of a group]."""
    x, weight, bias = _image(a), a.constant(1), a.bias(2)
    if weight.ndim != 4 or x.features[0] % weight.shape[3]:
        raise NotAnMlp(f"weights of shape {list(weight.shape)} for an input of shape {a.signal().text}")
    rows = weight.transpose(0, 3, 1, 2)
    groups = x.features[0] // weight.shape[3]
    found = positions.convolution(a.builder, x, rows, bias, _window(a, x, weight.shape[1:3]), groups)
    return a.activated(shapes.permute(found, _LAST))


@operator(OperatorKind.DEPTHWISE_CONV_2D)
def _depthwise(a: Applied) -> Value:
    """Weights [1, height, width, outputs]; each channel has as many outputs as any other."""
    x, weight, bias = _image(a), a.constant(1), a.bias(2)
    if weight.ndim != 4 or weight.shape[0] != 1 or weight.shape[3] % x.features[0]:
        raise NotAnMlp(f"weights of shape {list(weight.shape)} for an input of shape {a.signal().text}")
    rows = weight.transpose(3, 0, 1, 2)
    window = _window(a, x, weight.shape[1:3])
    return a.activated(shapes.permute(positions.convolution(a.builder, x, rows, bias, window, x.features[0]), _LAST))


def _pool_window(a: Applied, x: Signal) -> Window:
    return _window(a, x, [int(a.option("filter_height", 1)), int(a.option("filter_width", 1))])


@operator(OperatorKind.AVERAGE_POOL_2D)
def _average_pool(a: Applied) -> Value:
    """Padding is not counted."""
    x = _image(a)
    return a.activated(shapes.permute(positions.pooled(a.builder, x, _pool_window(a, x), False), _LAST))


@operator(OperatorKind.MAX_POOL_2D)
def _max_pool(a: Applied) -> Value:
    x = _image(a)
    return a.activated(shapes.permute(positions.largest(a.builder, x, _pool_window(a, x)), _LAST))


@operator(OperatorKind.MEAN, OperatorKind.SUM)
def _total(a: Applied) -> Value:
    keep, mean = bool(a.option("keep_dims", 0)), a.kind == OperatorKind.MEAN
    return positions.reduced(a.builder, a.signal(), a.integers(1), keep, mean)


@operator(OperatorKind.SOFTMAX)
def _softmax(a: Applied) -> Value:
    """exp(beta · x), normalised."""
    x, beta = a.signal(), float(a.option("beta", 1.0))
    if not beta > 0:
        raise NotAnMlp(f"a softmax with beta {beta:g}")
    return a.builder.final(a.builder.affine(x, beta, 0.0), "softmax", len(x.shape) - 1)


@operator(OperatorKind.LOG_SOFTMAX)
def _log_softmax(a: Applied) -> Value:
    x = a.signal()
    return a.builder.final(x, "log_softmax", len(x.shape) - 1)


@operator(OperatorKind.ARG_MAX)
def _argmax(a: Applied) -> Value:
    (axis,) = a.integers(1)
    return a.builder.final(a.signal(), "argmax", axis, keep_axis=False)
