"""Integer networks of a model's own structure before anything is trained, to estimate what they would cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import InputError
from ..frontends.float_operators.operator import Role
from ..frontends.float_operators.weights import Weights
from ..frontends.mlp import Mlp, MlpNode
from ..network import Dense, Encode, InputQuantizer, Layer, Network, Node, Output, Shared, Threshold
from .untrained_networks import random_thresholds, random_weights, stand_in
from .weight_range import has_full_range

__all__ = ["stand_in_of"]


def stand_in_of(
    mlp: Mlp,
    weight_bits: tuple[int, ...],
    act_bits: tuple[int, ...],
    input_bits: int,
    encoding: Encode | None = None,
    fan_in: tuple[int, ...] = (),
    full_range: bool = False,
    join_bits: int = 8,
) -> Network:
    """A random network of the structure of `mlp`, the same for the same arguments.

    The arguments are those of `stand_in`, and `join_bits` of what is quantized behind sums of tensors. Where all
    weights are applied once it is that of `stand_in`, the layers in a row. A model that shares weights between
    positions has them once too, with its sums over positions, maxima and residual sums between them. Raises InputError
    where something stands between them that has no integers by its kind alone.
    """
    linears = list(mlp.linears.values())
    if encoding is not None or all(linear.gather is None for linear in linears):
        sizes = (linears[0].weight.shape[1], *(len(linear.weight) for linear in linears))
        return stand_in(sizes, weight_bits, act_bits, input_bits, encoding, fan_in, full_range)
    return _Model(mlp, weight_bits, act_bits, input_bits, fan_in, full_range, join_bits).network()


@dataclass(frozen=True)
class _Values:
    """What a node of the model gives: the node of the network, the spread of its integers, and whether they are sums
    that a layer which takes them needs thresholds for, of so many bits; 0 behind the last layer."""

    node: str
    spread: float
    sums: bool
    bits: int


@dataclass
class _Model:
    mlp: Mlp
    weight_bits: tuple[int, ...]
    act_bits: tuple[int, ...]
    input_bits: int
    fan_in: tuple[int, ...]
    full_range: bool
    join_bits: int
    nodes: list[Node] = field(default_factory=list)
    taken: dict[str, _Values] = field(default_factory=dict)
    """Of each node of the network that gives sums, its integers behind thresholds."""

    def network(self) -> Network:
        self.generator = np.random.default_rng(0)
        self.places = {name: place for place, name in enumerate(self.mlp.linears)}
        size, spread = self.mlp.input_size, float((1 << self.input_bits) - 1)
        self.nodes.append(Node("input", InputQuantizer(size, np.ones(1), np.zeros(1), 0, self.input_bits, False)))
        values = {"input": _Values("input", spread, False, self.input_bits)}
        for node in self.mlp.nodes:
            values[node.name] = self._values(node, [values[name] for name in node.inputs])
        last = values[self.mlp.nodes[-1].name]
        if last.node != self.nodes[-1].name:
            self._integers(last)
        return Network("stand_in", tuple(self.nodes), Output(np.ones(1), 0, ()))

    def _values(self, node: MlpNode, given: list[_Values]) -> _Values:
        operator = node.operator
        if isinstance(operator, Weights):
            return self._linear(node.name, operator, self._integers(given[0]))
        if operator.role is Role.JOIN:
            layer = operator.integer_layer()
            if layer is None:
                raise InputError(node.where, f"{operator.kind} has no layer that its cost can be told from")
            sides = [
                self._integers(replace(each, sums=True) if self._is_joined(name) else each)
                for name, each in zip(node.inputs, given, strict=True)
            ]
            return self._join(node.name, layer, sides)
        if operator.role not in (Role.LINE, Role.FUNCTION):
            raise InputError(
                node.where,
                f"{operator.kind} beside weights at several positions: what that costs is not told before training",
                "Choose bits with --layer-bits, and look at the report's costs",
            )
        scales = operator.scale_and_shift is not None and not given[0].sums
        return given[0] if scales else replace(given[0], sums=True)

    def _is_joined(self, name: str) -> bool:
        """Whether these integers are quantized again where another join takes them: the input's and other joins'."""
        node = next((node for node in self.mlp.nodes if node.name == name), None)
        return node is None or (node.operator.role is Role.JOIN and not node.operator.moves_only)

    def _linear(self, name: str, operator: Weights, x: _Values) -> _Values:
        place = self.places[name]
        rows, columns = operator.weight.shape
        bits = self.weight_bits[place]
        bits = max(bits, 2) if operator.kept is not None else bits
        full = self.full_range and has_full_range(bits, int(x.spread).bit_length())
        hidden = place < len(self.act_bits)
        most = self.fan_in[place] if self.fan_in else 0
        weight = random_weights(self.generator, (rows, columns), bits, hidden, full, most)
        if operator.kept is not None:
            weight = weight * operator.kept.astype(np.int64)
        layer: Layer = Dense(weight, bits, np.zeros(rows, np.int64))
        if operator.gather is not None:
            layer = Shared((layer,), operator.gather.index.astype(np.int32), operator.gather.inputs)
        spread = np.sqrt(most or columns) * x.spread * (1 << max(bits - 2, 0)) * 0.4
        return self._add(name, layer, [x], spread, self.act_bits[place] if hidden else 0)

    def _join(self, name: str, layer: Layer, given: list[_Values]) -> _Values:
        summed = layer.multiplications // layer.output_size(*(self._size(each.node) for each in given))
        spread = sum(each.spread for each in given) * max(summed, 1)
        return replace(self._add(name, layer, given, spread, self.join_bits), sums=False)

    def _add(self, name: str, layer: Layer, given: list[_Values], spread: float, bits: int) -> _Values:
        self.nodes.append(Node(name, layer, tuple(each.node for each in given)))
        return _Values(name, spread, True, bits)

    def _size(self, node: str) -> int:
        return Network("before", tuple(self.nodes), Output(np.ones(1), 0, ())).sizes[node]

    def _integers(self, x: _Values) -> _Values:
        """The values behind thresholds, alike at all positions, where they are sums."""
        if not x.sums or not x.bits:
            return x
        if x.node not in self.taken:
            levels = (1 << x.bits) - 1
            before = self.nodes[[node.name for node in self.nodes].index(x.node)].layer
            shared = before if isinstance(before, Shared) and before.chain else None
            size = self._size(x.node)
            rows = shared.sizes[-1] if shared is not None else size
            thresholds = random_thresholds(self.generator, rows, levels, x.spread)
            layer = Threshold(np.tile(thresholds, (size // rows, 1)))
            name = f"{x.node}_act"
            self.nodes.append(Node(name, layer, (x.node,)))
            self.taken[x.node] = _Values(name, float(levels), False, x.bits)
        return self.taken[x.node]
