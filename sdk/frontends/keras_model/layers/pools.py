"""Means and maxima over windows, and over all positions."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...reading import positions, shapes
from ...reading.value import NotAnMlp
from .applied import LAYERS, Applied
from .spatial import channels_first, given_back, window


def _pooled(a: Applied, dimensions: int, largest: bool) -> Any:
    x = channels_first(a, a.x, dimensions)
    size = a.integers("pool_size", dimensions, 2)
    stride = a.integers("strides", dimensions, size)
    around = window(a, x, size, stride, [1] * dimensions)
    found = positions.largest(a.builder, x, around) if largest else positions.pooled(a.builder, x, around, False)
    return given_back(a, found)


def _over_all(a: Applied, dimensions: int, largest: bool) -> Any:
    x = channels_first(a, a.x, dimensions)
    around = positions.Window.whole(x.features[1:])
    found = positions.largest(a.builder, x, around) if largest else positions.pooled(a.builder, x, around, False)
    found = given_back(a, found)
    if a.flag("keepdims", False):
        return found
    positional = range(1, dimensions + 1) if a.channels_last() else range(2, dimensions + 2)
    result = shapes.squeeze(found, list(positional))
    if len(result.shape) != 2:
        raise NotAnMlp(f"it gives a tensor of shape {result.text}")
    return result


for _dimensions in (1, 2):
    for _kind, _largest in (("Average", False), ("Max", True)):
        LAYERS[f"{_kind}Pooling{_dimensions}D"] = partial(_pooled, dimensions=_dimensions, largest=_largest)
        LAYERS[f"Global{_kind}Pooling{_dimensions}D"] = partial(_over_all, dimensions=_dimensions, largest=_largest)
