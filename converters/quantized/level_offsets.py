"""Levels of activations that are negative a little: which share of them stands below zero.

GELU reaches −0.17 and whatever above, a leaky ReLU a hundredth below of what it does above: of signed levels
−2^(bits−1) … 2^(bits−1) − 1 half would stand unused. Levels (q + offset) · step with q = 0 … 2^bits − 1 and a negative
offset lie where the values are. The offset goes into biases and thresholds, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.operator import Role

from .placement import PlacedLinear, PlacedNode, PlacedQuantizer, Placement
from .scales import Rounded, best_step

__all__ = ["with_offsets"]

_BETTER = 0.9
"""Share of the signed levels' error that others must stay below."""


def with_offsets(placement: Placement, wanted: Mapping[str, npt.NDArray[np.float64]]) -> Placement:
    """`placement` with unsigned levels and an offset, of least squared error, behind functions of one number.

    Parameters
    ----------
    wanted : float64 [samples, channels], the float model's values by its nodes.
    """

    def chosen(node: PlacedNode) -> PlacedNode:
        quantizer = node.operator
        if not isinstance(quantizer, PlacedQuantizer) or not quantizer.signed or not _free(placement, node.name):
            return node
        _, chain = placement.chain(node)
        if all(operator.role is not Role.FUNCTION for operator in chain):
            return node
        return replace(node, operator=_chosen(quantizer, wanted[node.source]))

    return replace(placement, nodes=tuple(chosen(node) for node in placement.nodes))


def _free(placement: Placement, name: str) -> bool:
    """Whether nothing but linear layers of whole tensors takes a quantizer's integers: they take any offset in."""
    takers = [node.operator for node in placement.nodes if name in node.inputs]
    return bool(takers) and all(isinstance(each, PlacedLinear) and isinstance(each.linear, Linear) for each in takers)


def _chosen(quantizer: PlacedQuantizer, values: npt.NDArray[np.float64]) -> PlacedQuantizer:
    best, least = quantizer, _BETTER * _error(quantizer, values)
    for below in range(1, 1 << (quantizer.bits - 1)):
        if below & (below - 1):  # of 1, 2, 4 … levels below zero
            continue
        other = replace(quantizer, signed=False, offset=-float(below))
        if (error := _error(other, values)) < least:
            best, least = other, error
    return best


def _error(quantizer: PlacedQuantizer, values: npt.NDArray[np.float64]) -> float:
    return best_step([Rounded(values, quantizer.low, quantizer.high, quantizer.offset)])[1]
