"""Layers that scale and shift each value: normalisations with what was measured in training, and fixed scalings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import printable
from ...reading import shapes
from ...reading.value import NotAnMlp, Signal
from .applied import Applied, layer

_LEAST_DEVIATION = 1e-7
"""What Normalization divides by at least: keras.config.epsilon(), unless it was changed."""


@layer("BatchNormalization")
def _batch_normalization(a: Applied) -> Any:
    x, axis = a.x, a.get("axis", -1)
    if isinstance(axis, list) and len(axis) == 1:
        (axis,) = axis
    axis = x.axis(axis)
    if x.batch_axis != 0 or axis == 0:
        raise NotAnMlp(f"its axis {axis} of a tensor of shape {x.text}")
    names = [name for name, there in (("gamma", a.flag("scale", True)), ("beta", a.flag("center", True))) if there]
    size = (x.shape[axis],)
    found = dict(zip((*names, "moving_mean", "moving_variance"), [size] * 4, strict=False))
    values = dict(zip(found, a.variables(found), strict=True))
    order = [0, axis, *(each for each in range(1, len(x.shape)) if each != axis)]
    mean, variance = values["moving_mean"], values["moving_variance"]
    moved = shapes.permute(x, order)
    scaled = a.builder.batch_norm(
        moved, values.get("gamma"), values.get("beta"), mean, variance, a.number("epsilon", 1e-3)
    )
    return shapes.permute(scaled, np.argsort(order).tolist())


@layer("Normalization")
def _normalization(a: Applied) -> Any:
    x = a.x
    axes = a.get("axis", -1)
    axes = [] if axes is None else axes if isinstance(axes, list) else [axes]
    kept = sorted(x.axis(axis) for axis in axes)
    if 0 in kept:
        raise NotAnMlp("it normalises over the samples of a batch")
    if a.layer.config.get("mean") is not None:
        mean, variance = a.numbers("mean"), a.numbers("variance")
    else:
        sizes = [x.shape[axis] or 0 for axis in kept]
        mean, variance, _ = a.variables({"mean": sizes, "variance": sizes, "count": ()})
        a.used.update(("mean", "variance"))
    broad = [size if axis in kept else 1 for axis, size in enumerate(x.shape)]
    mean, variance = (_shaped(a, each, broad) for each in (mean, variance))
    if np.any(variance < 0):
        raise NotAnMlp("its variance is negative")
    deviation = np.maximum(np.sqrt(variance), _LEAST_DEVIATION)
    if a.flag("invert", False):
        return a.builder.affine(x, deviation, mean)
    return a.builder.affine(a.builder.affine(x, 1.0, -mean), 1.0 / deviation, 0.0)


@layer("Rescaling")
def _rescaling(a: Applied) -> Any:
    return a.builder.affine(a.x, _broadcast(a, "scale", 1.0), _broadcast(a, "offset", 0.0))


def _broadcast(a: Applied, name: str, default: float) -> Any:
    values = a.numbers(name) if name in a.layer.config else np.array(default)
    x: Signal = a.x
    return _shaped(a, values, [1] * (len(x.shape) - values.ndim) + list(values.shape))


def _shaped(a: Applied, values: Any, shape: list[Any]) -> Any:
    """`values` in a shape that broadcasts against the tensor; one number fits any."""
    a.builder.budget.constant(values.shape)
    if values.size == 1:
        return values.reshape([1] * len(shape))
    try:
        return values.reshape(shape)
    except ValueError as error:
        raise NotAnMlp(
            f"its numbers of shape {printable(list(values.shape), 40)} for a tensor of shape {a.x.text}"
        ) from error
