"""What no output depends on is left out: the same integers of fewer neurons.

A neuron is left out if every layer behind it gives it a weight of 0, or takes only neurons from it that are left out
themselves; or if its range is one integer alone, which goes into the bias of the sums that read it. So are rows of an
`Encode`, features of a `Tables` that add the same for all values, and rows of it that no value names. Inputs stay: what
feeds a network does not change. `sdk/proof/network/reduction_claims.py` proves of a reduced network that it computes
the same integers for all inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError
from .layer import Channels
from .layers.dense import Dense
from .layers.tables import Tables
from .network import Network, Node

__all__ = ["kept_channels", "left_out", "reduced"]

_Masks = dict[str, npt.NDArray[np.bool_]]


def kept_channels(network: Network) -> dict[str, Channels]:
    """Which channels of each node an output depends on, by name; at least one of each."""
    wanted: _Masks = {name: np.zeros(size, np.bool_) for name, size in network.sizes.items()}
    wanted[network.nodes[-1].name][:] = wanted[network.nodes[0].name][:] = True
    before = -1
    # Masks only grow, and are of a bounded size together. What is channelwise may widen what stands before it.
    while (count := sum(int(mask.sum()) for mask in wanted.values())) != before:
        before = count
        for node in reversed(network.layers):
            _want(network, node, wanted)
    return {name: np.flatnonzero(mask) for name, mask in wanted.items()}


def _want(network: Network, node: Node, wanted: _Masks) -> None:
    """Widen what is wanted of a node and of its inputs by what the node asks for."""
    layer, mine = node.layer, wanted[node.name]
    mine[0] |= not mine.any()
    mine |= layer.stay(mine)
    if layer.channelwise:
        for name in node.inputs:
            mine |= wanted[name]
        for name in node.inputs:
            wanted[name] |= mine
        return
    if (found := layer.reads(mine)) is None:
        mine[:] = True
        for name in node.inputs:
            wanted[name][:] = True
        return
    (source,) = node.inputs
    if isinstance(layer, Dense | Tables):
        found = found & ~_constant(network, source)
    wanted[source] |= found


def _constant(network: Network, name: str) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = network.ranges[name].low == network.ranges[name].high
    return found


def reduced(network: Network) -> Network:
    """The network without what no output depends on; the network itself where that is nothing.

    The output integers are the same for every input. So they are where a constant does not fit into a bias of 32 bits:
    the network stays as it is then.
    """
    kept = kept_channels(network)
    if not any(left_out(network, kept).values()) and not any(node.layer.holds_more for node in network.layers):
        return network
    try:
        nodes = tuple(_restricted(network, node, kept) for node in network.nodes)
        return replace(network, nodes=nodes)
    except NetworkError:
        return network


def _restricted(network: Network, node: Node, kept: Mapping[str, Channels]) -> Node:
    sizes = network.sizes
    if all(kept[name].size == sizes[name] for name in (node.name, *node.inputs)) and not node.layer.holds_more:
        return node
    source = node.inputs[0]
    constants = network.ranges[source].low.astype(np.int64)
    return replace(node, layer=node.layer.of_channels(kept[node.name], kept[source], constants))


def left_out(network: Network, kept: Mapping[str, Channels]) -> dict[str, int]:
    """How many channels of each node are left out, by name."""
    return {name: size - int(kept[name].size) for name, size in network.sizes.items()}
