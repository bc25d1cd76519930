"""What stands before and behind the part of a network that a chip runs: input encoder and readout, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.layers.leaky_neurons import LeakyNeurons

__all__ = ["after_chip", "before_chip", "leaky_nodes"]


def leaky_nodes(network: Network) -> list[tuple[str, LeakyNeurons]]:
    """The layers of leaky neurons, by node name, in order."""
    return [(node.name, node.layer) for node in network.nodes if isinstance(node.layer, LeakyNeurons)]


def before_chip(network: Network, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Input events [samples, steps, channels] of the first layer of leaky neurons."""
    values = network.check_input(np.asarray(q))
    for node in network.layers:
        if isinstance(node.layer, LeakyNeurons):
            return values.reshape(len(values), node.layer.steps, node.layer.inputs)
        values = node.layer.evaluate(values)
    raise InputError(f"network {network.name}", "holds no leaky neurons")


def after_chip(network: Network, emitted: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The network's outputs for what its last leaky layer emitted, [samples, steps, neurons]."""
    last = max(position for position, node in enumerate(network.nodes) if isinstance(node.layer, LeakyNeurons))
    values = emitted.reshape(len(emitted), -1).astype(np.int32)
    for node in network.nodes[last + 1 :]:
        values = node.layer.evaluate(values)
    return values
