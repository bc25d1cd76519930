"""Sums and products of two tensors of a quantized graph, as layers on their integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol

from edgeml.errors import InputError
from edgeml.frontends.float_operators.add import Add
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.frontends.float_operators.multiply import Multiply
from edgeml.network import Add as AddLayer
from edgeml.network import Dense
from edgeml.network.layer import Layer
from edgeml.network.layers.multiply import Multiply as MultiplyLayer
from edgeml.network.layers.shared import Shared

from .lowered_value import LoweredValue

__all__ = ["JOINED", "Nodes"]


class Nodes(Protocol):
    """The network in the making that joins are put into."""

    where: str
    """The place in the user's model that is being read."""

    def add(self, name: str, layer: Layer, *sources: str) -> str:
        """Put `layer` behind the nodes `sources`; gives its name."""
        ...

    def add_weighted(self, value: LoweredValue, layer: Dense | Shared, signs: Any, bias: Any) -> str:
        """Put a layer with its rows times `signs`, and with biases, behind the node of `value`; gives its name."""
        ...


def _summed(nodes: Nodes, first: LoweredValue, second: LoweredValue) -> LoweredValue:
    """A sum: of the integers themselves where both stand for multiples of one step, else of their `terms`."""
    first, second = (_integers(nodes, value, "adds") for value in (first, second))
    lines = [value.responses() for value in (first, second) if value.is_line]
    steps = {response.slope for line in lines for response in line}
    if len(lines) == 2 and len(steps) == 1 and not any(map(_clamped, lines)) and steps != {0}:
        name = nodes.add("sum", AddLayer(), first.name, second.name)
        offsets = [a.offset + b.offset for a, b in zip(*lines, strict=True)]
        return LoweredValue(name, None, [lines[0][0].slope] * len(offsets), offsets)
    size = len(first.slopes)
    return LoweredValue("", None, [Fraction(1)] * size, [Fraction(0)] * size, terms=(first, second))


def _multiplied(nodes: Nodes, first: LoweredValue, second: LoweredValue) -> LoweredValue:
    """A product of integers that both stand for multiples of a step: a multiple of the product of the steps."""
    first, second = (_integers(nodes, value, "multiplies") for value in (first, second))
    slopes = []
    for value in (first, second):
        if not value.is_line or _clamped(value.responses()):
            raise InputError(nodes.where, "multiplies values that no quantizer made integers", "Quantize both factors")
        responses = value.responses()
        if any(response.offset != 0 for response in responses):
            raise InputError(
                nodes.where,
                "multiplies integers that do not count from 0",
                "Give the quantizers of both factors the zero point 0",
            )
        slopes.append([response.slope for response in responses])
    name = nodes.add("product", MultiplyLayer(), first.name, second.name)
    steps = [one * other for one, other in zip(*slopes, strict=True)]
    return LoweredValue(name, None, steps, [Fraction(0)] * len(steps))


def _integers(nodes: Nodes, value: LoweredValue, does: str) -> LoweredValue:
    """A value as one of a node's integers: of sums that stand for multiples of one step, their own."""
    if value.layer is not None and value.is_line:
        responses = value.responses()
        if len({response.slope for response in responses}) == 1 and responses[0].slope > 0 and not _clamped(responses):
            name = nodes.add_weighted(value, value.layer, 1, 0)
            offsets = [response.offset for response in responses]
            return LoweredValue(name, None, [responses[0].slope] * len(offsets), offsets)
    if not value.name or value.layer is not None:
        raise InputError(nodes.where, f"{does} values that no quantizer made integers", "Quantize what it takes")
    return value


def _clamped(line: list[ClampedLine]) -> bool:
    return any(response.low is not None or response.high is not None for response in line)


JOINED: Mapping[str, Callable[[Nodes, LoweredValue, LoweredValue], LoweredValue]] = {
    Add.kind: _summed,
    Multiply.kind: _multiplied,
}
"""By the kind of operator."""
