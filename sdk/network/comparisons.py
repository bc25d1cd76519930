"""The int8 form as comparisons, for hardware that has those and no multiplier behind its sums."""

from __future__ import annotations

from dataclasses import replace

from .layers.requantize import Requantize
from .network import Network, Node

__all__ = ["with_thresholds"]


def with_thresholds(network: Network) -> Network:
    """The same network, integer for integer and node for node, with every `Requantize` as a `Threshold`.

    Raises NetworkError where one has more than 256 outputs.
    """
    nodes: list[Node] = []
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, Requantize):
            layer = layer.as_threshold(network.ranges[node.inputs[0]])
        nodes.append(replace(node, layer=layer))
    return replace(network, nodes=tuple(nodes))
