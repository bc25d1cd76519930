"""What stands before and behind the part of a network that a chip runs: input encoder and readout, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.layers.leaky_neurons import LeakyNeurons

__all__ = ["after_chip", "before_chip"]


def before_chip(network: Network, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Input events [samples, steps, channels] of the first layer of leaky neurons."""
    values, leaky = network.check_input(np.asarray(q)), network.of_kind(LeakyNeurons)
    for node in network.layers:
        if node.name in leaky:
            return values.reshape(len(values), leaky[node.name].steps, leaky[node.name].inputs)
        values = node.layer.evaluate(values)
    raise InputError(f"network {network.name}", "holds no leaky neurons")


def after_chip(network: Network, emitted: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The network's outputs for what its last leaky layer emitted, [samples, steps, neurons]."""
    leaky = network.of_kind(LeakyNeurons)
    last = max(position for position, node in enumerate(network.nodes) if node.name in leaky)
    values = emitted.reshape(len(emitted), -1).astype(np.int32)
    for node in network.nodes[last + 1 :]:
        values = node.layer.evaluate(values)
    return values
