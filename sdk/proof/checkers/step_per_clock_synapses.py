"""What the synapses of each population are, from the network's layers, and the gates of an adder graph beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...network import Dense, InputQuantizer, Network, Node, Output, Threshold
from .circuit_claims import followed
from .statements import need

__all__ = ["Stage", "added_by", "check_synapses", "stages_of"]

_Int64 = npt.NDArray[np.int64]


@dataclass
class Stage:
    """A population of neurons, or the readout (`encoding` empty).

    Parameters
    ----------
    node : whose integers its potentials are. weights : by population, int64 [neurons, channels]. constant : int64
    [neurons]. entry, entry_name : the input's population.
    """

    name: str
    node: str
    weights: dict[str, _Int64]
    constant: _Int64
    encoding: str
    levels: int
    base: int
    thresholds: _Int64
    entry: Any
    entry_name: str
    current_signed: bool = False

    def synapses(self, names: Iterable[str], bases: Mapping[str, int]) -> tuple[_Int64, _Int64]:
        """(weights [neurons, channels of populations in this order], what reaches the neurons if all are silent)."""
        parts, constant = [], self.constant
        for name in names:
            parts.append(self.weights[name])
            constant = constant + bases[name] * self.weights[name].sum(axis=1)
        return np.concatenate(parts, axis=1), constant


def stages_of(network: Network) -> list[Stage]:
    """The stages of a network: dense and add alone between the input's spikes, neurons and the output."""
    layers: list[Any] = list(network.layers)
    need(layers[0].layer.kind == "input_spikes" and layers[0].inputs == (network.nodes[0].name,), "input", "is another")
    entry, entry_name = layers[0].layer, layers[0].name
    sums: dict[str, tuple[dict[str, _Int64], _Int64]] = {}
    found = []

    def stage(name: str, node: str, neurons: Any) -> Stage:
        weights, constant = sums[node]
        said = ("", 0, 0, np.zeros((len(constant), 0), np.int64))
        if neurons is not None:
            said = (neurons.encoding, neurons.levels, neurons.base, neurons.thresholds.astype(np.int64))
        return Stage(name, node, weights, constant, *said, entry, entry_name)

    for node in layers:
        kind, size = node.layer.kind, network.sizes[node.name]
        if kind in ("input_spikes", "neurons"):
            if kind == "neurons":
                found.append(stage(node.name, node.inputs[0], node.layer))
            sums[node.name] = {node.name: np.eye(size, dtype=np.int64)}, np.zeros(size, np.int64)
            continue
        need(kind in ("dense", "add"), node.name, f"is of kind {kind}")
        matrix = node.layer.weight.astype(np.int64) if kind == "dense" else np.eye(size, dtype=np.int64)
        weights: dict[str, _Int64] = {}
        constant = node.layer.bias.astype(np.int64) if kind == "dense" else np.zeros(size, np.int64)
        for name in node.inputs:
            before, offset = sums[name]
            constant = constant + matrix @ (offset - (node.layer.input_zero_point if kind == "dense" else 0))
            for population, weight in before.items():
                weights[population] = weights.get(population, 0) + matrix @ weight
        sums[node.name] = weights, constant
    last = layers[-1]
    found.append(stage(f"{last.name}_readout" if last.layer.kind == "neurons" else last.name, last.name, None))
    return found


def added_by(weights: _Int64, bits: int, signed: bool) -> _Int64:
    """What is added to each current so that none is negative, whatever comes in channels of so many bits: [neurons]."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return np.asarray(-(np.maximum(weights, 0) * low + np.minimum(weights, 0) * high).sum(axis=1), np.int64)


def check_synapses(
    stage: Stage,
    weights: _Int64,
    constant: _Int64,
    element: tuple[int, bool],
    said: dict[str, Any],
    gates: dict[str, Any],
) -> None:
    """That an adder graph gives the current of each neuron (of `graded` ones their level) for all that comes in a slot.

    weights, constant : as `Stage.synapses`. element : bits of a channel, and its sign. said : claims of the circuit.
    """
    plain = stage.encoding in ("stbif", "graded")
    added = np.zeros(len(constant), np.int64) if plain else added_by(weights, *element)
    quantizer = InputQuantizer(weights.shape[1], np.ones(1), np.zeros(1), 0, *element)
    nodes = [
        Node("spikes", quantizer),
        Node(stage.name, Dense(weights.astype(np.int32), 8, added.astype(np.int32)), ("spikes",)),
    ]
    if stage.encoding == "graded":
        inside = np.clip(stage.thresholds - constant[:, None], -(2**31), 2**31 - 1).astype(np.int32)
        nodes.append(Node(f"{stage.name}_spikes", Threshold(inside), (stage.name,)))
    network = Network(stage.name, tuple(nodes), Output(np.ones(1)))
    stage.current_signed = int(network.ranges[network.nodes[-1].name].low.min()) < 0
    for place, (claims, proved) in followed(network, said, gates).items():
        need(claims == proved, f"{stage.name}, {place}", "is not proved")
