"""A Boolean function of a few inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...network.layers.logic import Logic
from ..statement import Column, Function

__all__ = ["statement"]


def statement(layer: Logic, channel: int) -> Function:
    """The table of the channel, by the inputs that it names."""
    sources = [int(source) for source in layer.sources[channel]]
    distinct = sorted(set(sources))
    table = layer.tables[channel].astype(np.int64)

    def values(x: Sequence[Column]) -> Column:
        number = np.zeros(len(x[0]), np.int64)
        for place, source in enumerate(sources):
            number += x[distinct.index(source)] << place
        return np.asarray(table[number], np.int64)

    return Function(tuple((0, source) for source in distinct), values)
