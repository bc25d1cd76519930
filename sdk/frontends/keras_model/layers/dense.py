"""Fully connected layers."""

from __future__ import annotations

from typing import Any

from ...reading.value import NotAnMlp
from .activations import activation
from .applied import Applied, layer


@layer("Dense")
def _dense(a: Applied) -> Any:
    x, units = a.x, a.get("units")
    if len(x.shape) < 2 or x.batch_axis == len(x.shape) - 1:
        raise NotAnMlp(f"it is applied to a tensor of shape {x.text}")
    shapes: dict[str, tuple[Any, ...]] = {"kernel": (int(x.features[-1]), units)}
    if a.flag("use_bias", True):
        shapes["bias"] = (units,)
    kernel, *bias = a.variables(shapes)
    result = a.builder.linear(x, kernel.T, bias[0] if bias else None)
    return activation(a, result)
