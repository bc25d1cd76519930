"""How many integers a table or a count of levels may tell apart in the unrolled architecture."""

from __future__ import annotations

from edgeml.errors import InputError
from edgeml.network import Network, Node

__all__ = ["MOST_TABLE_BITS", "check_values"]

MOST_TABLE_BITS = 8


def check_values(node: Node, network: Network, what: str, name: str) -> None:
    """InputError naming the layer `node` if the values of the node `name`, its `what`, are more than 256 integers."""
    low, high = network.ranges[name].bounds
    if high - low >= 2**MOST_TABLE_BITS:
        raise InputError(
            f"layer {node.name}",
            f"has {high - low + 1} {what}; the unrolled architecture has logic for {2**MOST_TABLE_BITS}",
            "Try --architecture folded",
        )
