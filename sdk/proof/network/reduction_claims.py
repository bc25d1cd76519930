"""That a network without what no output depends on gives the integers of the one it was made from, for every input.

By induction over the layers: if what a layer takes has the same integers in both networks, channel by channel of those
that are kept, so has what it gives. Then so have the outputs, all of which are kept. A sum keeps its integers if each
channel that it no longer takes has weight 0 in the rows that are kept, or is one integer alone by its range, which the
bias has taken in.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...network import Network
from ...network.layers.dense import Dense
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
        claims.append(claim)
    count = sum(converted.sizes[name] - each.size for name, each in kept.items())
    method = f"layer by layer; {count} channels are read by nothing that is kept, or are one integer"
    return PlaceClaims("reduction", _STATEMENT, method, claims, time.process_time() - before)
