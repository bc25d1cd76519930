"""Sums of tables: each input picks an entry, the entries are added."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...network.layers.tables import Tables
from ..statement import Column, SumOfFunctions

__all__ = ["statement"]


def statement(layer: Tables, channel: int) -> SumOfFunctions:
    """bias + Σ of one function of each input: what its tables hold for the channel, added."""
    sources = np.unique(layer.source).tolist()
    terms = {(0, source): _function(layer, channel, source) for source in sources}
    return SumOfFunctions(terms, int(layer.bias[channel]))


def _function(layer: Tables, channel: int, source: int) -> Callable[[Column], Column]:
    features = np.flatnonzero(layer.source == source)
    table = layer.entries[layer.rows[features], channel].astype(np.int64).sum(axis=0)
    return lambda x: table[x]
