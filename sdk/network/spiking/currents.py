"""Where the current of a neuron comes from: the trains that reach it, each through its own synapses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..layers.add import Add
from ..layers.dense import Dense
from ..layers.input_quantizer import InputQuantizer
from ..layers.input_spikes import InputSpikes
from ..layers.neurons import Neurons
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


def wiring(network: Network) -> dict[str, Wiring]:
    """The wiring of every node behind the populations (`InputSpikes`, `Neurons`) of an exact spiking network.

    `Dense` and `Add` are linear, so that whatever stands between two populations is one set of synapses per pair of
    them. The bases of the populations are not folded in here: constant counts values, not spikes.
    Raises NetworkError naming the layer where a kind of layer has no spikes.
    """
    found: dict[str, Wiring] = {}
    for node in network.nodes:
        layer = node.layer
        size = network.sizes[node.name]
        if isinstance(layer, InputQuantizer):
            continue
        if isinstance(layer, (InputSpikes, Neurons)):
            found[node.name] = Wiring((Source(node.name, None),), np.zeros(size, np.int64))
        elif isinstance(layer, Add) and all(name in found for name in node.inputs):
            a, b = (found[name] for name in node.inputs)
            found[node.name] = Wiring(a.sources + b.sources, a.constant + b.constant)
        elif isinstance(layer, Dense) and node.inputs[0] in found:
            before = found[node.inputs[0]]
            weight = layer.weight.astype(np.int64)
            sources = tuple(
                Source(source.population, weight if source.weight is None else weight @ source.weight)
                for source in before.sources
            )
            constant = weight @ (before.constant - layer.input_zero_point) + layer.bias
            found[node.name] = Wiring(sources, constant)
        else:
            raise NetworkError(
                f"layer {node.name}",
                f"a layer of kind {layer.kind!r} has no exact spikes here",
                "Exact spiking networks are made of input_spikes, dense, add and neurons",
            )
    return found
