"""The sums of network and model beside each other, channel by channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .sums import Sum, parts_of

__all__ = ["Channels"]

Int64 = npt.NDArray[np.int64]


class Channels:
    """What each channel of the network's sum is to that of the model's.

    constant, model_constant : [channels], with the functions of all values at 0 for the least of them.
    """

    def __init__(self, own: Sum, model: Sum) -> None:
        self.constant, self.model_constant, self._parts = parts_of(own, model)
        self._names = list(dict.fromkeys([*own.weights, *own.tables, *model.weights, *model.tables]))
        self._ranges = {**own.ranges, **model.ranges}
        self._equal = [
            np.all([np.all(a == sign * b, axis=tuple(range(1, a.ndim))) for a, b in self._parts], axis=0)
            for sign in (1, -1)
        ]

    def same(self, channel: int) -> int:
        """1 where the network's sum is the model's, −1 where it is its negative, 0 where it is neither."""
        return 1 if self._equal[0][channel] else -1 if self._equal[1][channel] else 0

    def functions(self, channel: int) -> tuple[list[tuple[str, int, int]], list[Int64], list[Int64]]:
        """Of each input of a channel its tensor, number and least value, and what its values add on either side."""
        names, own, model = [], [], []
        for name, pair in zip(self._names, self._parts, strict=True):
            reach = self._ranges[name]
            for i, (low, high) in enumerate(zip(reach.low.tolist(), reach.high.tolist(), strict=True)):
                steps = np.arange(high - low + 1)
                places = steps + low - reach.bounds[0]
                both = [part[channel, i] * steps if part.ndim == 2 else part[channel, i][places] for part in pair]
                if any(each.any() for each in both):
                    names.append((name, i, low))
                    own.append(both[0])
                    model.append(both[1])
        return names, own, model
