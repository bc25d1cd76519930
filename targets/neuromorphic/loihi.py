"""Loihi's compartments, one time step and one layer after the other, as lava's processes run them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Network
from edgeml.network.layers.leaky_neurons import LeakyNeurons

from .parameters import loihi_parameters
from .passage import after_chip, before_chip

__all__ = ["run_on_loihi_model"]

Int64 = npt.NDArray[np.int64]
_WRAP = 2**23


def _decayed(x: Int64, factor: Int64) -> Int64:
    magnitude = (np.abs(x) * factor) // 4096
    decayed: Int64 = np.where(x < 0, -magnitude, magnitude)
    return decayed


class _Layer:
    def __init__(self, entry: dict[str, Any], samples: int) -> None:
        weight = np.array(entry["weights"], np.int64)
        self.weight = np.clip(weight, -256, 255) // 2 * 2
        self.exponent = int(entry["weight_exp"])
        self.keep_u = 4096 - (np.array(entry["du"], np.int64) + 1)
        self.keep_v = 4096 - np.array(entry["dv"], np.int64)
        self.threshold = np.array(entry["vth"], np.int64) * 64
        self.bias = np.array(entry["bias"], np.int64)
        self.u = np.zeros((samples, len(weight)), np.int64)
        self.v = np.zeros_like(self.u)
        self.waiting = np.zeros_like(self.u)

    def step(self, spikes: Int64) -> Int64:
        """One step: what arrived the step before acts now, and these spikes wait."""
        arriving = self.waiting * 64
        total = spikes @ self.weight.T
        self.waiting = total * 2**self.exponent if self.exponent >= 0 else total // 2**-self.exponent
        u = _decayed(self.u, self.keep_u) + arriving
        u = np.where(u > _WRAP, u - 2 * _WRAP, u)
        self.u = np.where(u <= -_WRAP, u + 2 * _WRAP, u)
        v = np.clip(_decayed(self.v, self.keep_v) + self.u + self.bias, -(_WRAP - 1), _WRAP - 1)
        fired = v > self.threshold
        self.v = np.where(fired, 0, v)
        fires: Int64 = fired.astype(np.int64)
        return fires


def run_on_loihi_model(
    network: Network, q: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], dict[str, npt.NDArray[np.int32]]]:
    """Outputs int32 [samples, outputs] and, by node, spikes int32 [samples, steps · neurons]."""
    events = before_chip(network, q).astype(np.int64)
    layers = [_Layer(entry, len(events)) for entry in loihi_parameters(network)["lava_processes"]]
    emitted: list[list[Int64]] = [[] for _ in layers]
    for step in range(events.shape[1]):
        spikes: Int64 = events[:, step]
        for position, layer in enumerate(layers):
            spikes = layer.step(spikes)
            emitted[position].append(spikes)
    trains = [np.stack(steps, axis=1).astype(np.int32) for steps in emitted]
    names = list(network.of_kind(LeakyNeurons))
    by_name = {name: train.reshape(len(events), -1) for name, train in zip(names, trains, strict=True)}
    return after_chip(network, trains[-1]), by_name
