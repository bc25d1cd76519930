"""Outputs made from other outputs: if two neurons' weights differ little, one is the other plus the difference.

A minimum spanning tree over the neurons and a root that is zero (as multiplierless multiplication by constant
matrices does, and da4ml in its first stage): the way from the root costs the bits of a neuron's own terms, the way
from another neuron those of the difference and of the other's sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...signed_digits import signed_digits

__all__ = ["parents_of"]

_DEEPEST = 2
_LEAST_GAIN = 0.08
_MOST_PLACES = 50_000_000


def parents_of(weight: npt.NDArray[np.int64], bounds: Sequence[tuple[int, int]]) -> list[int | None] | None:
    """For each output the output that it is made from, if any; None if hardly anything is saved.

    No way from an output that starts at zero is longer than two: each output on the way waits for a whole sum.
    """
    outputs = len(weight)
    if outputs**2 * weight.shape[1] > _MOST_PLACES:
        return None
    widths = np.array([high.bit_length() for _, high in bounds], np.int64)
    least, most = int(weight.min()), int(weight.max())
    reach = max(most - least, abs(least), abs(most))
    digits = np.array([len(signed_digits(value)) for value in range(reach + 1)], np.int64)
    own = digits[np.abs(weight)] @ widths
    sums = np.array([int(np.abs(row) @ np.array([high for _, high in bounds])).bit_length() for row in weight])
    differences = np.stack([digits[np.abs(weight - row)] @ widths for row in weight]) + sums[:, None]
    parents: list[int | None] = [None] * outputs
    depth = [0] * outputs
    price = own.copy()
    waiting = set(range(outputs))
    total = 0
    while waiting:
        nearest = min(waiting, key=lambda output: (int(price[output]), output))
        waiting.remove(nearest)
        total += int(price[nearest])
        parent = parents[nearest]
        depth[nearest] = 0 if parent is None else depth[parent] + 1
        if depth[nearest] >= _DEEPEST:
            continue
        for output in waiting:
            if differences[nearest, output] < price[output]:
                price[output], parents[output] = differences[nearest, output], nearest
    return parents if total < (1 - _LEAST_GAIN) * int(own.sum()) else None
