"""The quantized model node by node: what stands between its integers, and the sums that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.graph_walk import walk
from edgeml.network import Layer, Network, ValueRange

from ..model import Input, ModelNode, ModelVisitor, QuantizedLinear, QuantizedModel, Quantizer
from .sums import Sum, TooLargeError, follow, itself

__all__ = ["Between", "ModelSums", "same_layer"]


@dataclass(frozen=True, eq=False)
class Between:
    """What a quantizer, or the output, takes: chain((sum in integers) · scale + bias), by channel.

    Parameters
    ----------
    source : the node that gives the sum. scale, bias : float64 [channels]. chain : operators on real numbers behind.
    """

    source: str
    scale: Any
    bias: Any
    chain: list[FloatOperator]


class ModelSums(ModelVisitor[None]):
    """A model beside a network, whose tensors of the same names it is followed in.

    ranges : of these tensors. between : by quantizer. sums : of each node whose integers are sums of tensors that both
    have, or why there is none. layers : of each node that must be a layer of the network, the layer.
    """

    def __init__(self, model: QuantizedModel, network: Network, ranges: Mapping[str, ValueRange]) -> None:
        self.model, self.network, self.ranges = model, network, ranges
        self.kinds = {node.name: node.layer.kind for node in network.nodes}
        self.between: dict[str, Between] = {}
        self.sums: dict[str, Sum | str] = {}
        self.layers: dict[str, Layer] = {}
        self.chains: dict[str, tuple[str, list[FloatOperator]]] = {}
        self.linears: dict[str, QuantizedLinear] = {}
        walk(model.nodes, {}, lambda node, given: node.operator.visit(self, node, given))

    def _tensor(self, name: str) -> None:
        """A tensor that the network must have by this name."""
        self.chains[name] = name, []
        missing = f"the network has no layer {name}"
        fits = name in self.ranges and self.ranges[name].channels == self.model.sizes[name]
        self.sums[name] = itself(name, self.ranges[name]) if fits else missing

    def input(self, node: ModelNode, operator: Input, given: list[None]) -> None:
        """The tensor that both begin with."""
        self._tensor(node.name)

    def linear(self, node: ModelNode, operator: QuantizedLinear, given: list[None]) -> None:
        """Its integer weights, without the bias, which is a real number."""
        self.chains[node.name] = node.name, []
        self.linears[node.name] = operator
        self.sums[node.name] = self._followed(operator.sums, node.inputs)
        if node is self.model.nodes[-1]:
            self.between[node.name] = self._between(node.name, [])

    def _followed(self, layer: Layer, inputs: tuple[str, ...]) -> Sum | str:
        taken = [self.sums[name] for name in inputs]
        for each in taken:
            if isinstance(each, str):
                return each
        try:
            return follow(layer, *(each for each in taken if isinstance(each, Sum)))
        except TooLargeError as error:
            return str(error)

    def _between(self, source: str, chain: list[FloatOperator]) -> Between:
        operator = self.linears.get(source)
        if operator is None:
            size = self.model.sizes[source]
            return Between(source, np.full(size, self.model.steps[source]), np.zeros(size), chain)
        (before,) = self.model.node(source).inputs
        scale = np.broadcast_to(operator.scale * self.model.steps[before], (len(operator.weight),))
        positions = operator.positions
        return Between(source, np.tile(scale, positions), np.tile(operator.bias, positions), chain)

    def quantizer(self, node: ModelNode, operator: Quantizer, given: list[None]) -> None:
        """A tensor that the network has, and what it is made from."""
        self.between[node.name] = self._between(*self.chains[node.inputs[0]])
        self._tensor(node.name)

    def on_reals(self, node: ModelNode, operator: FloatOperator, given: list[None]) -> None:
        """One more operator of the chain."""
        source, chain = self.chains[node.inputs[0]]
        self.chains[node.name] = source, [*chain, operator]

    def on_integers(self, node: ModelNode, operator: FloatOperator, given: list[None]) -> None:
        """A tensor that the network has, of the operator's own layer."""
        layer = operator.integer_layer()
        if layer is not None:
            self.layers[node.name] = layer
        self._tensor(node.name)

    def on_grid(self, node: ModelNode, operator: FloatOperator, given: list[None]) -> None:
        """A tensor that the network has; or, of one-hot values, functions of what it takes."""
        layer = operator.integer_layer()
        assert layer is not None
        if self.kinds.get(node.name) == layer.kind:
            self.layers[node.name] = layer
            self._tensor(node.name)
            return
        self.chains[node.name] = node.name, []
        self.sums[node.name] = self._followed(layer, node.inputs)


def same_layer(one: Layer, other: Layer) -> bool:
    """Whether two layers have the same kind and the same fields, those of layers within them too."""
    (stated, mine), (others, theirs) = one.parts(), other.parts()
    return (
        one.kind == other.kind
        and stated == others
        and mine.keys() == theirs.keys()
        and all(np.array_equal(mine[key], theirs[key]) for key in mine)
    )
