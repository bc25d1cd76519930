"""Membranes and spikes of a classic spiking network over time, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers.leaky_neurons import LeakyNeurons
from ..network import Network
from .dynamics import Record

__all__ = ["record"]


def record(network: Network, q: npt.NDArray[Any]) -> dict[str, Record]:
    """Currents, membranes and spikes [steps, samples, neurons] of every `LeakyNeurons` layer, by node name.

    Layers feed forward, so each runs over all its steps at once; that is the same as stepping them together.
    Raises InputError if q does not fit the network's input.
    """
    values: dict[str, npt.NDArray[np.int32]] = {network.nodes[0].name: network.check_input(np.asarray(q))}
    records: dict[str, Record] = {}
    leaky = network.of_kind(LeakyNeurons)
    for node in network.layers:
        inputs = [values[name] for name in node.inputs]
        if node.name in leaky:
            records[node.name] = leaky[node.name].record(inputs[0])
            values[node.name] = leaky[node.name].emitted(records[node.name])
        else:
            values[node.name] = node.layer.evaluate(*inputs)
    return records
