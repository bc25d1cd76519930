"""That the plain layers which stand for layers at positions, maxima and concatenations give their integers.

The network that hardware is built from (`edgeml.network.expanded`) is written beside the certificate, and each of its
layers is followed to the one that it stands for by `checkers/expansion.py`, which has no code of what makes it. What
does not follow is looked at on inputs, the ends of their range among them.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...errors import CheckFailed, NetworkError
from ...network import Network, expanded, network_file, trace
from ..checkers.expansion import EXPANDED, follow_node, grouped
from ..checkers.layer_formulas import Ends
from ..claim import NOT_TRIED, OPEN, PROVED, REFUTED
from ..place_claims import PlaceClaims

__all__ = ["EXPANDED", "EXPANSION", "expansion_claims"]

EXPANSION = "expansion"
_STATEMENT = f"for every input, a layer gives the integers of the layer of its name in {EXPANDED}"
_VECTORS = 256


def expansion_claims(network: Network, ranges: PlaceClaims) -> tuple[PlaceClaims, bytes]:
    """One claim for each layer of `network`, whose proved `ranges` are known; and the file of the expanded network.

    Where the network cannot be expanded, nothing is tried and the file is empty.
    """
    before = time.process_time()
    try:
        made = expanded(network)
    except NetworkError as error:
        claims: list[dict[str, Any]] = [
            {"status": NOT_TRIED, "layer": n.name, "detail": str(error)} for n in network.nodes
        ]
        return PlaceClaims(EXPANSION, _STATEMENT, "", claims, 0.0), b""
    ends: dict[str, Ends] = {
        claim["layer"]: (claim["low"], claim["high"]) for claim in ranges.claims if claim["status"] == PROVED
    }
    return compared(network, made, ends, before), network_file.to_bytes(made)


def compared(network: Network, made: Network, ends: dict[str, Ends], before: float = 0.0) -> PlaceClaims:
    """The claims of `network` beside a network that may stand for it."""
    before = before or time.process_time()
    sizes = {node.name: network.sizes[node.name] for node in network.nodes}
    claims: list[dict[str, Any]] = []
    rows = 0
    try:
        for node, nodes in grouped(network, made):
            rows += sum(made.sizes[each.name] for each in nodes)
            claim: dict[str, Any] = {"status": PROVED, "layer": node.name}
            try:
                follow_node(node, nodes, sizes, ends)
            except CheckFailed as error:
                claim |= _looked_at(network, made, node.name) or {"status": OPEN, "detail": str(error)}
            claims.append(claim)
    except CheckFailed as error:
        claims = [{"status": OPEN, "layer": node.name, "detail": str(error)} for node in network.nodes]
    method = f"layer by layer, {rows:,} rows: weights position by position, maxima by what they stand for"
    return PlaceClaims(EXPANSION, _STATEMENT, method, claims, time.process_time() - before)


def _looked_at(network: Network, made: Network, name: str) -> dict[str, Any] | None:
    """Inputs for which a layer gives other integers in one network than in the other; None if none was found."""
    generator = np.random.default_rng(0)
    low, high = network.ranges[network.nodes[0].name].low, network.ranges[network.nodes[0].name].high
    q = generator.integers(low, high + 1, (_VECTORS, network.input_size)).astype(np.int32)
    q[0], q[1] = low, high
    q[2:32] = np.where(generator.random((30, network.input_size)) < 0.5, low, high)
    own, other = (trace(each, q)[name] for each in (network, made))
    if own.shape != other.shape or np.array_equal(own, other):
        return None
    vector, channel = (int(each[0]) for each in np.nonzero(own != other))
    given = ", ".join(map(str, q[vector].tolist()[:16])) + (", …" if network.input_size > 16 else "")
    said = (
        f"for inputs {given} channel {channel} is {own[vector, channel]}, expanded {other[vector, channel]} (confirmed)"
    )
    return {"status": REFUTED, "counterexample": said}
