"""That no value of a network leaves the range that all else is proved over, and none leaves 32 bits."""

from __future__ import annotations

import time

from ...network import Network
from ..claim import NOT_TRIED, PROVED
from ..place_claims import PlaceClaims

__all__ = ["KINDS", "range_claims"]

KINDS = (
    *("input_quantizer", "input_spikes", "dense", "tables", "add", "threshold", "neurons", "requantize", "lookup"),
    *("encode", "logic", "shared", "maximum", "concat", "multiply"),
)
"""Kinds of layer whose ranges the checker follows by itself."""
_STATEMENT = "for every input, every value of channel c of a layer lies in low[c] … high[c], within 32 bits"


def range_claims(network: Network) -> PlaceClaims:
    """One claim for each layer; of a layer of a kind that is not known, and of those behind it, none is tried."""
    before = time.process_time()
    known: set[str] = set()
    claims = []
    for node in network.nodes:
        found = network.ranges[node.name]
        if node.layer.kind in KINDS and known.issuperset(node.inputs):
            known.add(node.name)
            claims.append(
                {"status": PROVED, "layer": node.name, "low": found.low.tolist(), "high": found.high.tolist()}
            )
        else:
            detail = f"layer {node.name} is of kind {node.layer.kind}, or takes what is not known"
            claims.append({"status": NOT_TRIED, "layer": node.name, "detail": detail})
    method = "from the ends of what each layer takes"
    return PlaceClaims("ranges", _STATEMENT, method, claims, time.process_time() - before)
