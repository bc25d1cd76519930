"""Layers at several positions between quantizers: convolutions, sums and maxima of windows, on integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.gather import NOTHING, Gather
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.network import Dense
from edgeml.network.layer import Layer
from edgeml.network.layers.shared import Shared

__all__ = ["at_positions", "pooled", "positions_of"]


def positions_of(operator: Linear | SharedLinear) -> int:
    """At how many positions an operator with weights applies them."""
    return operator.positions if isinstance(operator, SharedLinear) else 1


def at_positions(
    layer: Dense, operator: Linear | SharedLinear, slope: Fraction, offsets: Sequence[Fraction], where: str
) -> Dense | Shared:
    """`layer`, with the weights of `operator`, where that applies them to slope · integers + offsets. Padding stands
    for 0, so that some integer must; InputError naming `where` if none does, or if offsets differ there."""
    if not isinstance(operator, SharedLinear):
        return layer
    if len(set(offsets)) > 1:
        raise InputError(where, "takes channels of different offsets at several positions")
    zero = _zero(operator.gather, slope, offsets[0], where)
    return Shared((layer,), operator.gather.index.astype(np.int32), operator.inputs, zero)


def _zero(gather: Gather, slope: Fraction, offset: Fraction, where: str) -> int:
    """The integer that stands for 0, where padding needs one."""
    if not gather.pads:
        return 0
    zero = -offset / slope
    if zero.denominator != 1:
        raise InputError(where, "pads with 0 a tensor of which no integer stands for 0")
    return int(zero)


def pooled(
    operator: PooledSum | PooledMaximum, slope: Fraction, offset: Fraction, where: str
) -> tuple[Layer, list[Fraction]]:
    """The integer layer of a sum or maximum of slope · integers + offset, and the offset of each of its outputs."""
    layer = operator.integer_layer()
    if layer is None or slope <= 0:
        raise InputError(where, "takes integers that fall where their numbers rise")
    counts: npt.NDArray[np.int64] = (operator.gather.index != NOTHING).sum(axis=1)
    if isinstance(operator, PooledMaximum):
        return layer, [offset] * len(counts)
    if operator.gather.pads:  # padding counts as 0, and so does its offset
        counts = np.full(len(counts), operator.gather.columns)
        layer = replace(cast(Shared, layer), padding=_zero(operator.gather, slope, offset, where))
    return layer, [offset * int(count) for count in counts]
