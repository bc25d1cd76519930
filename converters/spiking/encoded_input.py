"""Inputs as bits and tables in a form that spikes have: one encoding of the input, and synapses behind it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Add, Dense, Encode, Network, Node, Tables
from edgeml.network.layers.encode import EQUAL

__all__ = ["with_one_encoding"]

_MOST_WEIGHTS = 2**26


def with_one_encoding(network: Network) -> Network:
    """The same integers with at most one `Encode`, right behind the input, and no `Tables`.

    Tables of the input become one-hot inputs and a dense layer; beside bits and a dense layer (a sum of both), one
    dense layer of both. A network that has neither is given back as it is. InputError naming the layer for tables
    elsewhere, or for inputs that enter in several ways that are no such sum.
    """
    tables, encodes = network.of_kind(Tables), network.of_kind(Encode)
    if not tables and len(encodes) <= 1:
        return network
    merged = _Merged(network)
    nodes = [network.nodes[0]]
    # Not the name of the model's own encoding, whose outputs may stand in another order.
    entry, name = network.nodes[0].name, _free(network, "encode_all")
    rest = []
    for node in network.layers:
        dense = merged.dense(node)
        if dense is not None:
            rest.append(Node(node.name, dense, (name,), node.origin))
        elif node.name not in merged.absorbed:
            if entry in node.inputs or node.layer.kind in (Tables.kind, Encode.kind):
                raise InputError(
                    f"layer {node.name}",
                    f"a layer of kind {node.layer.kind!r} has no exact spikes here",
                    "Spikes have tables of the input alone, and all of the input in one encoding; use --to quantized",
                )
            rest.append(node)
    return Network(network.name, (*nodes, Node(name, merged.encode(), (entry,)), *rest), network.output)


def _free(network: Network, name: str) -> str:
    while any(node.name == name for node in network.nodes):
        name += "_"
    return name


class _Merged:
    """All encodings of the input as one, and the dense layers on it."""

    def __init__(self, network: Network) -> None:
        self._by_name = {node.name: node for node in network.nodes}
        self._entry = network.nodes[0].name
        self._encode = {
            node.name: node.layer for node in network.layers if isinstance(node.layer, Encode) and self._first(node)
        }
        self._tables = {
            node.name: node.layer for node in network.layers if isinstance(node.layer, Tables) and self._first(node)
        }
        self._parts = [*self._encode.values(), *(_one_hot(tables) for tables in self._tables.values())]
        self._starts = dict(
            zip((*self._encode, *self._tables), np.cumsum([0, *(part.outputs for part in self._parts)]), strict=False)
        )
        self._size = sum(part.outputs for part in self._parts)
        most = max(network.sizes.values())
        if self._size * most > _MOST_WEIGHTS:
            raise InputError(f"network {network.name}", f"has {self._size} one-hot inputs: more than spikes can have")
        sums = [node for node in network.layers if node.layer.kind == Add.kind and self._sides(node)]
        self._added = {node.name for node in sums}
        self.absorbed = {*self._encode, *(name for node in sums for name in node.inputs)}

    def _first(self, node: Node) -> bool:
        return node.inputs == (self._entry,)

    def encode(self) -> Encode:
        """The one encoding."""
        fields = ("source", "rule", "operand")
        source, rule, operand = (np.concatenate([getattr(part, field) for part in self._parts]) for field in fields)
        return Encode(source, rule, operand, self._parts[0].inputs)

    def dense(self, node: Node) -> Dense | None:
        """The dense layer on all of the encoding that computes a node; None for a node that stays as it is."""
        if node.name in self._added:
            return self._dense([self._by_name[name] for name in node.inputs])
        if node.name not in self.absorbed and self._reads(node):
            return self._dense([node])
        return None

    def _reads(self, node: Node) -> bool:
        """Whether it is tables of the input, or a dense layer on an encoding of it."""
        return node.name in self._tables or (isinstance(node.layer, Dense) and node.inputs[0] in self._encode)

    def _sides(self, node: Node) -> bool:
        return all(self._reads(self._by_name[name]) for name in node.inputs)

    def _dense(self, sides: list[Node]) -> Dense:
        weight: npt.NDArray[np.int64] | None = None
        bias, bits = np.zeros(1, np.int64), 2
        for side in sides:
            layer = side.layer
            if isinstance(layer, Tables):
                part, start = layer.entries[layer.rows].reshape(-1, layer.outputs).T, self._starts[side.name]
                bias, bits = bias + layer.bias, max(bits, layer.entry_bits)
            else:
                assert isinstance(layer, Dense)
                part, start = layer.weight, self._starts[side.inputs[0]]
                shift = layer.input_zero_point * layer.weight.astype(np.int64).sum(axis=1)
                bias, bits = bias + layer.bias - shift, max(bits, layer.weight_bits)
            if weight is None:
                weight = np.zeros((len(part), self._size), np.int64)
            weight[:, start : start + part.shape[1]] += part
        assert weight is not None
        return Dense(weight.astype(np.int32), bits, bias.astype(np.int32))


def _one_hot(tables: Tables) -> Encode:
    count, values = tables.features, tables.values
    rule, operand = np.full(count * values, EQUAL, np.int32), np.tile(np.arange(values, dtype=np.int32), count)
    return Encode(np.repeat(tables.source, values), rule, operand, tables.inputs)
