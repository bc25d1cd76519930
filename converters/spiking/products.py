"""Products of two tensors as sums and thresholds, which are what spikes compute: the same integers.

A factor b of integers b₀ … b₀ + B is as many steps g_k = [b ≥ b₀ + k], k = 1 … B, and with a = a₀ … a₀ + A

    (a − a₀) · (b − b₀) = Σ_k (a − a₀) · g_k        (a − a₀) · g_k = clip(a − a₀ + A · g_k − A, 0, A)

The product itself adds a₀ · b + b₀ · a − a₀ · b₀, which are sums. Each of its values takes B neurons of one level and B
of A levels: B is the smaller of both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Add, Dense, Multiply, Network, Node, Threshold, ValueRange

__all__ = ["without_products"]

_MOST_STEPS = 15
_LARGEST_WEIGHT = 127
_MOST_WEIGHTS = 2**24

Weights = npt.NDArray[np.int32]


def without_products(network: Network) -> Network:
    """`network` with no `Multiply` in it; every node of it is there under the same name, with the same integers.

    InputError, naming the layer, where both factors have more than 16 values, or one has more than 128.
    """
    if not network.of_kind(Multiply):
        return network
    names = {node.name for node in network.nodes}
    nodes: list[Node] = []
    for node in network.nodes:
        nodes += _Product(node, network, names).nodes() if isinstance(node.layer, Multiply) else [node]
    return replace(network, nodes=tuple(nodes))


class _Product:
    """The nodes that stand for one product."""

    def __init__(self, node: Node, network: Network, names: set[str]) -> None:
        self._node, self._names, self._made = node, names, list[Node]()
        sides = sorted(node.inputs, key=lambda name: _reach(network.ranges[name]))
        self._gate, self._value = sides[0], sides[-1]
        self._steps, self._levels = (_reach(network.ranges[name]) for name in (self._gate, self._value))
        self._b0, self._a0 = (network.ranges[name].bounds[0] for name in (self._gate, self._value))
        self._channels = network.sizes[node.name]
        fits = self._levels <= _LARGEST_WEIGHT and max(-self._a0, self._a0, -self._b0, self._b0) <= _LARGEST_WEIGHT
        if self._steps > _MOST_STEPS or not fits or (self._steps * self._channels) ** 2 > _MOST_WEIGHTS:
            raise InputError(
                f"layer {node.name}",
                f"multiplies values of which one side has {self._steps + 1} integers and the other {self._levels + 1}: "
                "there are no exact spikes for it",
                f"Spikes multiply at most {_MOST_STEPS + 1} integers by {_LARGEST_WEIGHT + 1}: use fewer bits, or the "
                "quantized form",
            )

    def nodes(self) -> list[Node]:
        """In computing order, the last one under the product's name."""
        own, rows = np.eye(self._channels, dtype=np.int32), self._channels * self._steps
        each = np.tile(own, (self._steps, 1))
        copies = self._dense(self._gate, each, 0)
        at = np.repeat(np.arange(1, self._steps + 1), self._channels)[:, None] + self._b0
        gates = self._add(Threshold(at.astype(np.int32), 0), copies)
        opened = self._add(
            Add(),
            self._dense(self._value, each, -self._a0 - self._levels),
            self._dense(gates, self._levels * np.eye(rows, dtype=np.int32), 0),
        )
        counts = np.tile(np.arange(1, self._levels + 1, dtype=np.int32), (rows, 1))
        passed = self._add(Threshold(counts, 0), opened)
        total = self._dense(passed, each.T, -self._a0 * self._b0)
        for source, factor in ((self._gate, self._a0), (self._value, self._b0)):
            if factor:
                total = self._add(Add(), total, self._dense(source, factor * own, 0))
        self._made[-1] = replace(self._made[-1], name=self._node.name)
        return self._made

    def _dense(self, source: str, weight: Weights, bias: int) -> str:
        return self._add(Dense(weight.astype(np.int32), 8, np.full(len(weight), bias, np.int32)), source)

    def _add(self, layer: Dense | Threshold | Add, *sources: str) -> str:
        name = f"{self._node.name}_{len(self._made) + 1}_{layer.kind}"
        while name in self._names:
            name += "_"
        self._names.add(name)
        self._made.append(Node(name, layer, sources, self._node.origin))
        return name


def _reach(values: ValueRange) -> int:
    """The largest value less the smallest, over all channels; at least 1."""
    low, high = values.bounds
    return max(high - low, 1)
