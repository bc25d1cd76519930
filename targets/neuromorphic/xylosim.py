"""Runs a network on SynSense's `xylosim.v2`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Network
from edgeml.network.layers.leaky_neurons import LeakyNeurons

from .parameters import xylo_parameters
from .passage import after_chip, before_chip

__all__ = ["run_on_xylosim"]


def run_on_xylosim(
    network: Network, q: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], dict[str, npt.NDArray[np.int32]]]:
    """Outputs int32 [samples, outputs] and, by node, spikes int32 [samples, steps · neurons]."""
    from xylosim.v2 import XyloLayer, XyloSynapse

    p = xylo_parameters(network)

    def synapses(weights: list[list[int]]) -> list[list[Any]]:
        """Synapses by source neuron; those of zero weight are none."""
        return [[XyloSynapse(target, 0, weight) for target, weight in enumerate(row) if weight] for row in weights]

    nodes = list(network.of_kind(LeakyNeurons).items())
    events = before_chip(network, q)
    kept = [synapses(p[name]) for name in ("weights_in", "weights_rec", "weights_out")]
    chip = XyloLayer(
        *kept,
        [[] for _ in p["threshold"]],
        p["threshold"],
        p["threshold_out"],
        True,
        p["bias"],
        p["bias_out"],
        p["weight_shift_inp"],
        p["weight_shift_rec"],
        p["weight_shift_out"],
        p["dash_mem"],
        p["dash_mem_out"],
        [[dash] for dash in p["dash_syn"]],
        [[dash] for dash in p["dash_syn_out"]],
        "edgeml",
    )
    hidden, out = [], []
    for sample in events:
        chip.reset_all()
        out.append(np.array(chip.evolve(sample.tolist()), np.int32))
        hidden.append(np.array(chip.rec_recurrent_spikes, np.int32))
    emitted, all_hidden = np.stack(out), np.stack(hidden)
    layers, start = {}, 0
    for name, layer in nodes[:-1]:
        layers[name] = all_hidden[:, :, start : start + layer.neurons].reshape(len(q), -1)
        start += layer.neurons
    layers[nodes[-1][0]] = emitted.reshape(len(q), -1)
    return after_chip(network, emitted), layers
