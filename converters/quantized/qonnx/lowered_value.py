"""A tensor between two quantizers while a quantized graph becomes integers: what it is of the integers before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from edgeml.errors import InputError
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.network import Dense, Shared
from edgeml.network.value_range import ValueRange

from ..thresholds import compose

__all__ = ["LoweredValue", "value_at"]

_MOST_ENTRIES = 2**10


@dataclass(frozen=True)
class LoweredValue:
    """slope[c] · (integers of `layer`, or of node `name`) + offset[c], then `function`, then `chain`.

    Parameters
    ----------
    name : the node whose integers it is made of; "" for the model's input before its quantizer.
    layer : the linear layer behind that node, not yet a node itself; None if there is none.
    chain : scales, shifts and clamps, exact in rational numbers.
    function : operators of each value by itself, the last of which is no line; computed in float64.
    terms : the two tensors that it is the sum of, before `chain`; then `name` is empty.
    """

    name: str
    layer: Dense | Shared | None
    slopes: Sequence[Fraction]
    offsets: Sequence[Fraction]
    chain: tuple[FloatOperator, ...] = ()
    function: tuple[FloatOperator, ...] = ()
    terms: tuple[LoweredValue, ...] = ()

    @property
    def is_input(self) -> bool:
        """Whether no quantizer has made integers of it yet."""
        return not self.name and not self.terms

    @property
    def is_line(self) -> bool:
        """Whether each channel is a line, perhaps clamped, of the integers of one node or layer."""
        return not self.function and not self.terms

    def responses(self) -> list[ClampedLine]:
        """The line of each channel, without `function` and `terms`."""
        return compose(self.slopes, self.offsets, self.chain)

    def table(self, bounds: ValueRange, where: str) -> list[Fraction]:
        """The value for each integer of the node, from the least to the largest of all channels' `bounds`.

        InputError naming `where` if channels differ, or the node has more than 1,024 values.
        """
        low, high = bounds.bounds
        if self.layer is not None or not self.name or high - low >= _MOST_ENTRIES:
            raise InputError(
                where, "takes a sum that no quantizer made integers of at most 8 bits", "Quantize what it takes, too"
            )
        alike = InputError(where, "takes channels of different scales", "Give the quantizer before it one scale")
        if not self.function:
            responses = self.responses()
            if any(response != responses[0] for response in responses):
                raise alike
            return [value_at(responses[0], q) for q in range(low, high + 1)]
        slope, offset = (np.array([float(value) for value in values]) for values in (self.slopes, self.offsets))
        values = np.arange(low, high + 1, dtype=np.float64)[:, None] * slope + offset
        for operator in (*self.function, *self.chain):
            values = operator.evaluate(values)
        if np.any(values != values[:, :1]) or not np.all(np.isfinite(values)):
            raise alike
        return [Fraction(value) for value in values[:, 0].tolist()]


def value_at(line: ClampedLine, q: int) -> Fraction:
    """The value of a clamped line at an integer."""
    y = line.slope * q + line.offset
    y = y if line.low is None else max(y, line.low)
    return y if line.high is None else min(y, line.high)
