"""Chains of operators between integers and a quantizer: where they rise and fall, whether channels differ in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.operator import FloatOperator, Role

__all__ = ["are_lines", "directions", "same_for_all_channels"]


def are_lines(chain: Sequence[FloatOperator]) -> bool:
    """Whether each channel is one clamped line, whose thresholds follow in rational numbers."""
    return all(operator.role is Role.LINE for operator in chain)


def directions(chain: Sequence[FloatOperator], channels: int) -> list[npt.NDArray[np.float64]]:
    """Of each operator its direction [channels] on the values that those before it can give: 1, −1, or 0 for both.

    Their product is the direction of the chain; a 0 says that it may turn.
    """
    reach, found = Interval.unbounded(), []
    for operator in chain:
        found.append(np.broadcast_to(operator.direction(reach), (channels,)))
        reach = operator.output_range(reach)
    return found


def same_for_all_channels(chain: Sequence[FloatOperator]) -> bool:
    """Whether no operator tells one channel from another."""
    return all(np.all(array == array[..., :1]) for operator in chain for array in operator.parameters.values())
