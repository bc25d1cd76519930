"""Values for which a sum that is not the trained model's gives another level: found exactly, where few inputs differ.

Of the inputs whose functions are equal, all sums that can come are one set of integers, built up input by input. For
each choice of values of the inputs that differ, the levels of both sides are compared for every sum of that set; the
values that make it are then read backwards. Where nothing is found the channel's level is the model's for all values
within their ranges, though its weights are not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt

__all__ = ["differing"]

Int64 = npt.NDArray[np.int64]

_MOST_CHOICES = 2**12
_WIDEST = 2**22


def differing(
    own: list[Int64], model: list[Int64], levels: tuple[Callable[[Int64], Int64], Callable[[Int64], Int64]]
) -> list[int] | None:
    """Positions into the values of each input for which the levels differ; None where they never do.

    own, model : for each input what its values add, to the network's sum and to the model's. levels : of sums of the
    network, and of sums of the model. Raises ValueError where there are too many to look at.
    """
    unlike = [k for k, (a, b) in enumerate(zip(own, model, strict=True)) if not np.array_equal(a, b)]
    alike = [k for k in range(len(own)) if k not in unlike]
    width = sum(int(own[k].max() - own[k].min()) for k in alike) + 1
    if np.prod([len(own[k]) for k in unlike], dtype=np.float64) > _MOST_CHOICES or width > _WIDEST:
        raise ValueError("too many values")
    low = sum(int(own[k].min()) for k in alike)
    sets = [1]
    for k in alike:
        least, before = int(own[k].min()), sets[-1]
        after = 0
        for step in np.unique(own[k] - least).tolist():
            after |= before << step
        sets.append(after)
    there = np.flatnonzero(_bits(sets[-1], width)) + low
    for choice in product(*(range(len(own[k])) for k in unlike)):
        mine = there + sum(int(own[k][at]) for k, at in zip(unlike, choice, strict=True))
        theirs = there + sum(int(model[k][at]) for k, at in zip(unlike, choice, strict=True))
        wrong = np.flatnonzero(levels[0](mine) != levels[1](theirs))
        if wrong.size:
            found = dict(zip(unlike, choice, strict=True))
            found |= _backwards([own[k] for k in alike], alike, sets, int(there[wrong[0]]) - low)
            return [found[k] for k in range(len(own))]
    return None


def _bits(number: int, width: int) -> npt.NDArray[np.uint8]:
    content = np.frombuffer(number.to_bytes((width + 7) // 8, "little"), np.uint8)
    return np.unpackbits(content, count=width, bitorder="little")


def _backwards(functions: list[Int64], names: list[int], sets: list[int], rest: int) -> dict[int, int]:
    """The position of each input's value, of values that add up to `rest` above the least sum."""
    found = {}
    for function, name, before in reversed(list(zip(functions, names, sets[:-1], strict=True))):
        least = int(function.min())
        for position, value in enumerate((function - least).tolist()):
            if rest >= value and before >> (rest - value) & 1:
                found[name], rest = position, rest - value
                break
    return found
