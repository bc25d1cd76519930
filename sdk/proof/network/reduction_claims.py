"""That a network without what no output depends on gives the integers of the one it was made from, for every input.

By induction over the layers: if what a layer takes has the same integers in both networks, channel by channel of those
that are kept, so has what it gives. Then so have the outputs, all of which are kept. A sum keeps its integers if each
channel that it no longer takes has weight 0 in the rows that are kept, or is one integer alone by its range, which the
bias has taken in; a sum of tables if what a channel adds to the rows that are kept is the same function of its value,
but for one number, which the bias has. A row of an `encode` layer looks at one channel alone.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from ...network import Network, ValueRange
from ...network.layer import Channels
from ...network.layers.dense import Dense
from ...network.layers.encode import Encode
from ...network.layers.tables import Tables
from ...network.reduction import kept_channels
from ..claim import NOT_TRIED, PROVED, REFUTED
from ..place_claims import PlaceClaims
from .range_claims import KINDS

__all__ = ["reduction_claims"]

_STATEMENT = (
    "for every input, channel kept[k] of the layer in converted.edgeml has the integer of channel k in network.edgeml"
)


def reduction_claims(converted: Network, network: Network) -> PlaceClaims:
    """One claim for each layer of `network`, which was made of `converted` by leaving channels out."""
    before = time.process_time()
    kept = kept_channels(converted)
    known: set[str] = set()
    claims: list[dict[str, Any]] = []
    for node, made in zip(converted.nodes, network.nodes, strict=True):
        if node.layer.kind in KINDS and known.issuperset(node.inputs):
            known.add(node.name)
        claim: dict[str, Any] = {"status": PROVED, "layer": node.name, "kept": kept[node.name].tolist()}
        if isinstance(node.layer, Dense) and isinstance(made.layer, Dense):
            (source,) = node.inputs
            rows, low, high = kept[node.name], converted.ranges[source].low, converted.ranges[source].high
            left_out = np.setdiff1d(np.arange(node.layer.inputs), kept[source])
            read = left_out[np.any(node.layer.weight[np.ix_(rows, left_out)] != 0, axis=0)]
            if read.size and source not in known:
                claim |= {"status": NOT_TRIED, "detail": f"the range of {source} is not followed"}
            same = np.array_equal(made.layer.weight, node.layer.weight[np.ix_(rows, kept[source])])
            added = node.layer.weight[np.ix_(rows, read)].astype(np.int64) @ (low[read] - node.layer.input_zero_point)
            if not same or np.any(low[read] != high[read]) or np.any(made.layer.bias - node.layer.bias[rows] != added):
                claim |= {"status": REFUTED, "counterexample": "its sums are not those of the rows that are kept"}
        elif isinstance(node.layer, Tables) and isinstance(made.layer, Tables):
            (source,) = node.inputs
            reach = converted.ranges[source] if source in known else None
            if not _same_sums(node.layer, made.layer, reach, kept[node.name], kept[source]):
                claim |= (
                    {"status": NOT_TRIED, "detail": f"the range of {source} is not followed"}
                    if reach is None
                    else {"status": REFUTED, "counterexample": "its sums are not those of the rows that are kept"}
                )
        elif isinstance(node.layer, Encode) and isinstance(made.layer, Encode):
            rows, taken = kept[node.name], kept[node.inputs[0]]
            same = np.array_equal(taken[made.layer.source], node.layer.source[rows])
            same &= np.array_equal(made.layer.rule, node.layer.rule[rows])
            if not same or not np.array_equal(made.layer.operand, node.layer.operand[rows]):
                claim |= {"status": REFUTED, "counterexample": "its rows are not those that are kept"}
        claims.append(claim)
    count = sum(converted.sizes[name] - each.size for name, each in kept.items())
    method = f"layer by layer; {count} channels are read by nothing that is kept, or are one integer"
    return PlaceClaims("reduction", _STATEMENT, method, claims, time.process_time() - before)


def _same_sums(whole: Tables, made: Tables, reach: ValueRange | None, outputs: Channels, channels: Channels) -> bool:
    """Whether two layers add the same for all values that are reached (all that have a row, where nobody knows)."""
    if whole.values != made.values:
        return False
    bias, left = whole.bias[outputs].astype(np.int64), made.bias.astype(np.int64)
    places = {int(channel): place for place, channel in enumerate(channels)}
    for channel in range(whole.inputs):
        values = slice(None) if reach is None else slice(int(reach.low[channel]), int(reach.high[channel]) + 1)
        function = _added(whole, channel, values)[:, outputs]
        other = _added(made, places[channel], values) if channel in places else np.zeros_like(function)
        if np.any(function - function[:1] != other - other[:1]):
            return False
        bias, left = bias + function[0], left + other[0]
    return np.array_equal(bias, left)


def _added(layer: Tables, channel: int, values: slice) -> npt.NDArray[np.int64]:
    """What an input channel adds for each of its values, int64 [values, outputs]."""
    rows = layer.rows[layer.source == channel][:, values]
    found: npt.NDArray[np.int64] = layer.entries[rows].sum(axis=0, dtype=np.int64)
    return found
