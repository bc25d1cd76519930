"""Layers that are shared by positions, maxima and concatenations as sums and thresholds of whole tensors: the same
integers for what knows no `Shared`, no `Maximum` and no `Concat`.

A chain of layers becomes as many nodes, each with the parameters of every position. Weights that a position does not
gather are 0, so that hardware built weight by weight pays nothing for them; memory of weights grows by their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError
from .layer import Layer
from .layers.add import Add
from .layers.dense import Dense
from .layers.shared import Shared
from .network import Network, Node
from .value_range import ValueRange

__all__ = ["expanded", "expands"]

_MOST_PARAMETERS = 2**26
"""Of one layer that is made for many positions."""


def expanded(network: Network) -> Network:
    """The network with no `Shared`, `Maximum` and `Concat` in it; the network itself where it holds none.

    Every node of `network` is in it under the same name and with the same integers; layers within a chain are named
    after their node and their place in it. Raises NetworkError, naming the layer, where the weights of all positions
    together are too many, or an input that one position gathers twice needs weights of more than 8 bits.
    """
    if not expands(network):
        return network
    names = {node.name for node in network.nodes}
    nodes: list[Node] = []
    for node in network.nodes:
        if node.layer.expands and node.layer.input_count > 1:
            nodes += _summed(node, names)
        elif node.layer.expands:
            nodes += _expanded(node, network.ranges[node.inputs[0]], names)
        else:
            nodes.append(node)
    return replace(network, nodes=tuple(nodes))


def expands(network: Network) -> list[str]:
    """The names of the nodes that `expanded` makes others of."""
    return [node.name for node in network.nodes if node.layer.expands]


def _expanded(node: Node, x: ValueRange, names: set[str]) -> list[Node]:
    try:
        shared = node.layer.as_shared(x)
        assert isinstance(shared, Shared)
        layers = list(_whole_layers(shared))
    except NetworkError as error:
        raise NetworkError(f"layer {node.name}", str(error)) from error
    nodes = []
    source = node.inputs[0]
    for place, layer in enumerate(layers, 1):
        name = node.name if place == len(layers) else _new_name(f"{node.name}_{place}_{layer.kind}", names)
        nodes.append(Node(name, layer, (source,), node.origin))
        source = name
    return nodes


def _summed(node: Node, names: set[str]) -> list[Node]:
    """A sum of two layers that each put an input to its places among zeros."""
    nodes: list[Node] = []
    sides = zip(node.layer.as_sum(), node.inputs, strict=True)
    for place, (side, source) in enumerate(sides, 1):
        assert isinstance(side, Shared)
        name = _new_name(f"{node.name}_{place}_dense", names)
        nodes.append(Node(name, _gathered(side), (source,), node.origin))
    return [*nodes, Node(node.name, Add(), tuple(each.name for each in nodes), node.origin)]


def _new_name(wanted: str, names: set[str]) -> str:
    name = wanted
    while name in names:
        name += "_"
    names.add(name)
    return name


def _whole_layers(shared: Shared) -> Iterator[Layer]:
    """At least one; each takes what the one before it gives."""
    gather, inputs, padding = shared.gather, shared.inputs, shared.padding
    chain = shared.chain
    if not chain or (not isinstance(chain[0], Dense) and not shared.in_order):
        yield _gathered(shared)
        gather, inputs = _in_order(shared.positions, shared.width)
    for layer, size in zip(chain, shared.sizes[1:], strict=True):
        if shared.positions * sum(array.size for array in layer.parts()[1].values()) > _MOST_PARAMETERS:
            raise NetworkError(layer.kind, f"has more than {_MOST_PARAMETERS} parameters for all positions together")
        yield layer.over_positions(gather, inputs, padding)
        gather, inputs = _in_order(shared.positions, size)


def _in_order(positions: int, width: int) -> tuple[npt.NDArray[np.int32], int]:
    return np.arange(positions * width, dtype=np.int32).reshape(positions, width), positions * width


def _gathered(shared: Shared) -> Dense:
    """What only gathers, as sums of one value each: 2 bit weights, one 1 in each row."""
    one = Dense(np.ones((1, 1), np.int32), 2, np.zeros(1, np.int32))
    return one.over_positions(shared.gather.reshape(-1, 1), shared.inputs, shared.padding)
