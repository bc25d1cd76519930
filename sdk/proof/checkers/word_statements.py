"""What layers say of one channel, for the checker of `words.py`: a sum of values, and functions behind it.

This file shares no code with provers or with what writes C: it takes the fields of layers, and the network's own
definition of roundings, tables and bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Said", "function_of", "said_of"]

Column = Any


class Said(NamedTuple):
    """f(Σ weights[tensor, place] · x[tensor][place] + constant), f one function behind the other."""

    weights: dict[tuple[int, int], int]
    constant: int
    functions: tuple[Callable[[Column], Column], ...] = ()

    def __call__(self, z: Column) -> Column:
        """What the functions make of values of the sum."""
        for function in self.functions:
            z = function(z)
        return z


def said_of(layers: list[Any], channel: int) -> Said | None:
    """What layers, one behind the other, say of a channel; None where that is not a function of one sum."""
    first, *behind = layers
    found = _first(first, channel)
    for layer in behind:
        function = None if layer.kind == "encode" else function_of(layer, channel)
        if found is None or function is None:
            return None
        found = found._replace(functions=(*found.functions, function))
    return found


def _first(layer: Any, channel: int) -> Said | None:
    if layer.kind == "shared":
        return _at_position(layer, channel)
    if layer.kind == "dense":
        row = layer.weight[channel].astype(np.int64)
        weights = {(0, place): int(row[place]) for place in np.flatnonzero(row).tolist()}
        return Said(weights, int(layer.bias[channel]) - layer.input_zero_point * int(row.sum()))
    if layer.kind in ("add", "input_spikes"):
        return Said({(tensor, channel): 1 for tensor in range(1 + (layer.kind == "add"))}, 0)
    if layer.kind == "concat":
        return Said({(0, channel) if channel < layer.first else (1, channel - layer.first): 1}, 0)
    function = function_of(layer, channel)
    place = int(layer.source[channel]) if layer.kind == "encode" else channel
    return None if function is None else Said({(0, place): 1}, 0, (function,))


def _at_position(layer: Any, channel: int) -> Said | None:
    """Of the chain at a position: its values are those that the position gathers, or the padding."""
    sizes = [len(each.weight) for each in layer.chain if each.kind == "dense"]
    position, result = divmod(channel, sizes[-1] if sizes else layer.gather.shape[1])
    found = said_of(list(layer.chain), result) if layer.chain else Said({(0, result): 1}, 0)
    if found is None:
        return None
    weights: dict[tuple[int, int], int] = {}
    constant = found.constant
    for (_, place), weight in found.weights.items():
        source = int(layer.gather[position, place])
        if source < 0:
            constant += weight * int(layer.padding)
        else:
            weights[0, source] = weights.get((0, source), 0) + weight
    return Said(weights, constant, found.functions)


def function_of(layer: Any, channel: int) -> Callable[[Column], Column] | None:
    """What a layer says of one channel: of integers [rows] the integers; None where it is not a function of one."""
    if layer.kind == "input_quantizer":
        return lambda x: np.clip(x, layer.low, layer.high)
    if layer.kind in ("threshold", "neurons"):
        row = np.sort(layer.thresholds[channel].astype(np.int64))
        return lambda x: np.searchsorted(row, x, side="right") + layer.base
    alone = layer
    if layer.kind == "requantize" and layer.per_channel:
        parts = ("multiplier", "shift", "fraction")
        alone = replace(layer, **{p: w[[channel]] for p in parts if (w := getattr(layer, p)) is not None})
    if layer.kind == "encode":
        alone = type(layer)(np.zeros(1, np.int32), layer.rule[[channel]], layer.operand[[channel]], 1)
    known = layer.kind in ("requantize", "lookup", "encode")
    return (lambda x: alone.evaluate(x[:, None])[:, 0].astype(np.int64)) if known else None
