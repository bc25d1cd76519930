"""How torch's cat and ONNX's Concat are read into the operator."""

from __future__ import annotations

from typing import Any

from edgeml.frontends.onnx_model.operators import Applied
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import NotAnMlp, Signal

from .operator import Cat


def read_cat(builder: MlpBuilder, tensors: list[Any], dim: int = 0) -> Signal:
    """aten.cat(tensors, dim) of features."""
    if not all(isinstance(x, Signal) and x.axis(dim) == 1 for x in tensors):
        raise NotAnMlp("it joins other than the features of tensors that depend on the input")
    whole, *others = tensors
    for other in others:
        whole = builder.apply(Cat(), whole, other)
    return whole


def read_concat(applied: Applied) -> Signal:
    """Concat, which takes any number of inputs."""
    return read_cat(applied.builder, applied.inputs, applied.get("axis"))
