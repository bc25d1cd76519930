"""Runs a network of snnTorch presets on snnTorch's own neurons, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.layers.neurons_leaky import LeakyNeurons

from .passage import after_chip, before_chip, leaky_nodes

__all__ = ["run_on_snntorch"]

_RESETS = {
    "subtract": ("subtract", True),
    "zero_with_input": ("zero", True),
    "none": ("none", True),
    "subtract_guarded": ("subtract", False),
}


def _neuron(layer: LeakyNeurons, where: str) -> Any:
    """The snnTorch module with this layer's parameters, its states in units of one integer weight."""
    import snntorch
    import torch

    model = layer.model
    if model.reset == "zero":
        reset, delayed = "zero", bool(model.reset_delay)
    else:
        reset, delayed = _RESETS[model.reset]
    recurrent = layer.recurrent is not None

    def share(values: npt.NDArray[np.int32]) -> Any:
        return torch.tensor(values / 2.0**model.decay_bits, dtype=torch.float64)

    if layer.delays is not None or layer.recurrent_delays is not None:
        raise InputError(where, "snnTorch has no delays of synapses")
    options: dict[str, Any] = {
        "threshold": torch.tensor(layer.threshold / 2.0**model.weight_shift, dtype=torch.float64),
        "reset_mechanism": reset,
        "reset_delay": delayed,
    }
    if recurrent:
        options |= {"all_to_all": True, "linear_features": layer.neurons}
    beta = share(layer.membrane_decay)
    if model.current:
        kind = snntorch.RSynaptic if recurrent else snntorch.Synaptic
        neuron = kind(alpha=share(layer.current_decay), beta=beta, **options)
    else:
        # Lapicque with gain 1 in its weights is Leaky, but for a reset to zero that drops the input: as RLeaky's does.
        dropping = model.reset == "zero_with_input" and not recurrent
        if dropping:
            options |= {"all_to_all": True, "linear_features": layer.neurons}
        kind = snntorch.RLeaky if recurrent or dropping else snntorch.Leaky
        neuron = kind(beta=beta, **options)
        recurrent = recurrent or dropping
    neuron = neuron.double()
    if recurrent:
        weight = layer.recurrent if layer.recurrent is not None else np.zeros((layer.neurons, layer.neurons))
        neuron.recurrent.weight.data = torch.tensor(np.asarray(weight), dtype=torch.float64)
        neuron.recurrent.bias.data = torch.zeros(layer.neurons, dtype=torch.float64)
    return neuron


def run_on_snntorch(
    network: Network, q: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], dict[str, npt.NDArray[np.int32]], str]:
    """Outputs int32 [samples, outputs], emitted integers by node int32 [samples, steps · neurons], the version.

    Membranes of a layer that does not fire come rounded to the integer that they stand for.
    """
    import snntorch
    import torch

    events = before_chip(network, q)
    values = torch.tensor(events.astype(np.float64))
    layers: dict[str, npt.NDArray[np.int32]] = {}
    emitted = np.zeros(0)
    with torch.no_grad():
        for name, layer in leaky_nodes(network):
            neuron = _neuron(layer, f"layer {name}")
            count = 1 + layer.model.current + (type(neuron).__name__ in ("RLeaky", "RSynaptic"))
            recurrent = type(neuron).__name__ in ("RLeaky", "RSynaptic")
            states = [torch.zeros(len(q), layer.neurons, dtype=torch.float64) for _ in range(count)]
            weight = torch.tensor(layer.weight.astype(np.float64))
            bias = torch.tensor(layer.bias / 2.0**layer.model.weight_shift)
            sent = []
            for step in range(layer.steps):
                result = neuron(values[:, step] @ weight.T + bias, *states)
                states = [state.double() for state in (result if recurrent else result[1:])]
                membrane = layer.model.emission == "membrane"
                sent.append(result[-1] * 2.0**layer.model.weight_shift if membrane else result[0].double())
            values = torch.stack(sent, dim=1)
            emitted = np.rint(values.numpy())
            layers[name] = emitted.reshape(len(q), -1).astype(np.int32)
    return after_chip(network, emitted), layers, str(snntorch.__version__)
