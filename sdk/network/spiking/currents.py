"""Where the current of a neuron comes from: the trains that reach it, each through its own synapses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..layers.add import Add
from ..layers.dense import Dense
from ..layers.encode import Encode
from ..layers.logic import Logic
from ..network import Network

__all__ = ["Source", "Wiring", "wiring"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Source:
    """A population by node name, and the synapses int64 [neurons, channels] from it (None: one to one)."""

    population: str
    weight: Int64 | None


@dataclass(frozen=True, eq=False)
class Wiring:
    """What reaches a node, as a sum: Σ weight · value(population) + constant.

    Parameters
    ----------
    sources : the populations with their synapses.
    constant : int64 [channels]: biases, zero points folded in.
    """

    sources: tuple[Source, ...]
    constant: Int64


def _add(layer: Add, a: Wiring, b: Wiring) -> Wiring:
    return Wiring(a.sources + b.sources, a.constant + b.constant)


def _dense(layer: Dense, before: Wiring) -> Wiring:
    weight = layer.weight.astype(np.int64)
    sources = tuple(
        Source(source.population, weight if source.weight is None else weight @ source.weight)
        for source in before.sources
    )
    return Wiring(sources, weight @ (before.constant - layer.input_zero_point) + layer.bias)


_BEFORE_SPIKES = (Encode.kind, Logic.kind)
"""The kinds that may stand between the input and the population that makes spikes of it."""
_LINEAR: dict[str, Callable[..., Wiring]] = {"add": _add, "dense": _dense}
"""What a linear layer makes of the wirings of its inputs, by its kind."""


def wiring(network: Network) -> dict[str, Wiring]:
    """The wiring of every node behind the populations (`InputSpikes`, `Neurons`) of an exact spiking network.

    `Dense` and `Add` are linear, so that whatever stands between two populations is one set of synapses per pair of
    them. The bases of the populations are not folded in here: constant counts values, not spikes.
    Raises NetworkError naming the layer if a kind of layer has no spikes.
    """
    found: dict[str, Wiring] = {}
    integers = {network.nodes[0].name}
    for node in network.layers:
        layer = node.layer
        if layer.kind in _BEFORE_SPIKES and integers.issuperset(node.inputs):
            integers.add(node.name)
            continue
        if layer.population:
            silent = np.zeros(network.sizes[node.name], np.int64)
            found[node.name] = Wiring((Source(node.name, None),), silent)
        elif layer.kind in _LINEAR and all(name in found for name in node.inputs):
            found[node.name] = _LINEAR[layer.kind](layer, *(found[name] for name in node.inputs))
        else:
            raise NetworkError(
                f"layer {node.name}",
                f"a layer of kind {layer.kind!r} has no exact spikes here",
                "Exact spiking networks are made of input_spikes, dense, add and neurons; encode and logic before all",
            )
    return found
