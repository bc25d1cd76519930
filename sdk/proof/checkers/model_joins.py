"""What a quantized model's operators on integers are in a network, and its weights at positions, for the checker of
`quantized.py`. This file shares no code with converters, provers or the layers: it takes fields and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .soundness import need

__all__ = ["JOINS", "Sum", "added", "at_positions", "is_join", "joined_size", "operands", "weighed"]

JOINS = {
    "add": "add",
    "pooled_maximum": "maximum",
    "pooled_sum": "shared",
    "concat": "concat",
    "multiply": "multiply",
}
"""Operators on integers by their kind, and the layer that each is in a network."""
_Array = Any
Sum = tuple[_Array, dict[str, _Array], dict[tuple[str, int], _Array]]
"""Constants [channels]; by tensor, weights [channels, size]; by tensor and number, what its values, from the least one
on, add, [values, channels]."""


def at_positions(weight: _Array, source: _Array, inputs: int) -> _Array:
    """The weights [positions · rows, inputs] of sums at positions: those of one row at what it takes; −1 takes 0."""
    positions, columns = source.shape
    need(weight.shape[1] == columns and source.min() >= -1 and source.max() < inputs, "positions", "take what is not")
    whole = np.zeros((positions, len(weight), inputs + 1), np.int64)
    for position in range(positions):
        for column, place in enumerate(source[position].tolist()):
            whole[position, :, int(place)] += weight[:, column]
    return whole[:, :, :inputs].reshape(-1, inputs)


def joined_size(kind: str, sizes: list[int], arrays: dict[str, _Array], name: str) -> int:
    """How many values an operator on integers gives."""
    if kind == "concat":
        return sum(sizes)
    return len(arrays[f"{name}.source"]) if kind in ("pooled_maximum", "pooled_sum") else sizes[0]


def is_join(kind: str, layer: Any, arrays: dict[str, _Array], name: str) -> bool:
    """Whether a layer is what an operator on integers says: the same places, and of sums weights of 1 and no bias."""
    fields = vars(layer)
    if layer.kind != JOINS[kind]:
        return False
    if kind not in ("pooled_maximum", "pooled_sum"):
        return True
    if not np.array_equal(fields["gather"], arrays[f"{name}.source"]):
        return False
    if kind == "pooled_maximum":
        return True
    chain, columns = list(fields["chain"]), fields["gather"].shape[1]
    if fields["padding"] or (not chain and columns > 1):
        return False
    ones = [vars(each) for each in chain if each.kind == "dense"]
    plain = all(
        np.array_equal(each["weight"], np.ones((1, columns)))
        and not each["bias"].any()
        and not each["input_zero_point"]
        for each in ones
    )
    return plain and len(ones) == len(chain) <= 1


def operands(fields: dict[str, Any]) -> list[_Array]:
    """What an encode layer's rows read, and how."""
    return [fields["source"], fields["rule"], fields["operand"]]


def weighed(x: Sum, weight: _Array, bias: _Array) -> Sum:
    """A sum's channels times weights, and a bias."""
    weights = {tensor: weight @ each for tensor, each in x[1].items()}
    return weight @ x[0] + bias, weights, {part: values @ weight.T for part, values in x[2].items()}


def added(one: Sum, other: Sum) -> Sum:
    """The sum of two, channel by channel."""
    weights, values = dict(one[1]), dict(one[2])
    for tensor, weight in other[1].items():
        weights[tensor] = weights[tensor] + weight if tensor in weights else weight
    for part, each in other[2].items():
        values[part] = values[part] + each if part in values else each
    return one[0] + other[0], weights, values
