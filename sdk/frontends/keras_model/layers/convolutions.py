"""Convolutions: ordinary, depthwise and separable, over one or two dimensions."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ...reading import positions
from ...reading.value import NotAnMlp, Signal
from .activations import activation
from .applied import LAYERS, Applied
from .spatial import channels_first, given_back, window

Floats = np.ndarray[Any, np.dtype[np.float64]]


def _filters(kernel: Floats) -> Floats:
    """Keras's kernel [size …, inputs, outputs] as [outputs, inputs, size …]."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _each_channel(kernel: Floats) -> Floats:
    """Keras's depthwise kernel [size …, channels, multiplier] as [channels · multiplier, 1, size …]."""
    *sizes, channels, multiplier = kernel.shape
    return np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(channels * multiplier, 1, *sizes)


def _channels(x: Signal) -> int:
    return int(x.features[0])


def _convolution(a: Applied, dimensions: int) -> Any:
    x = channels_first(a, a.x, dimensions)
    size, stride, dilation = _sizes(a, dimensions)
    filters, groups = a.get("filters"), a.get("groups", 1)
    if type(groups) is not int or groups < 1 or _channels(x) % groups or type(filters) is not int:
        raise NotAnMlp(f"{filters} filters in {groups} groups of a tensor of shape {a.x.text}")
    shapes = {"kernel": (*size, _channels(x) // groups, filters)}
    if a.flag("use_bias", True):
        shapes["bias"] = (filters,)
    kernel, *bias = a.variables(shapes)
    found = positions.convolution(
        a.builder, x, _filters(kernel), bias[0] if bias else None, window(a, x, size, stride, dilation), groups
    )
    return activation(a, given_back(a, found))


def _depthwise(a: Applied, dimensions: int) -> Any:
    x = channels_first(a, a.x, dimensions)
    size, stride, dilation = _sizes(a, dimensions)
    multiplier = a.get("depth_multiplier", 1)
    a.used.update(("filters", "groups"))
    # Keras 3 calls it kernel, Keras 2 depthwise_kernel.
    name = "depthwise_kernel" if a.keras_2 else "kernel"
    shapes = {name: (*size, _channels(x), multiplier)}
    if a.flag("use_bias", True):
        shapes["bias"] = (_channels(x) * multiplier,)
    kernel, *bias = a.variables(shapes)
    around = window(a, x, size, stride, dilation)
    groups = _channels(x)
    found = positions.convolution(a.builder, x, _each_channel(kernel), bias[0] if bias else None, around, groups)
    return activation(a, given_back(a, found))


def _separable(a: Applied, dimensions: int) -> Any:
    x = channels_first(a, a.x, dimensions)
    size, stride, dilation = _sizes(a, dimensions)
    multiplier, filters = a.get("depth_multiplier", 1), a.get("filters")
    a.used.add("groups")
    ones = (1,) * dimensions
    inner = _channels(x) * multiplier
    shapes = {
        "depthwise_kernel": (*size, _channels(x), multiplier),
        "pointwise_kernel": (*ones, inner, filters),
    }
    if a.flag("use_bias", True):
        shapes["bias"] = (filters,)
    depthwise, pointwise, *bias = a.variables(shapes)
    around = window(a, x, size, stride, dilation)
    each = positions.convolution(a.builder, x, _each_channel(depthwise), None, around, _channels(x))
    single = positions.Window(ones, ones, [(0, 0)] * dimensions, ones)
    found = positions.convolution(a.builder, each, _filters(pointwise), bias[0] if bias else None, single, 1)
    return activation(a, given_back(a, found))


def _sizes(a: Applied, dimensions: int) -> tuple[list[int], list[int], list[int]]:
    size = a.integers("kernel_size", dimensions)
    if math.prod(size) < 1 or a.get("rank", dimensions) != dimensions:
        raise NotAnMlp(f"a kernel of {size}")
    return size, a.integers("strides", dimensions, 1), a.integers("dilation_rate", dimensions, 1)


for _dimensions in (1, 2):
    for _name in ("Conv", "Convolution"):
        LAYERS[f"{_name}{_dimensions}D"] = partial(_convolution, dimensions=_dimensions)
    LAYERS[f"DepthwiseConv{_dimensions}D"] = partial(_depthwise, dimensions=_dimensions)
    LAYERS[f"SeparableConv{_dimensions}D"] = partial(_separable, dimensions=_dimensions)
