"""Runs a network of snnTorch presets on snnTorch's own neurons, in float64, with products rounded as declared.

snnTorch multiplies a state by a float decay; the integer network by k / 2^bits, and rounds (`models/decay`, rule
`multiply`). Its modules are given a decay that does that. States are in the network's own units, so that all else that
they compute (sums, comparisons, resets and when they are done) is exact on integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.layers.leaky_neurons import LeakyNeurons

__all__ = ["can_run", "run_on_snntorch"]


class _RoundedDecay:
    """Stands where a snnTorch module keeps its β (or α): times a state, it gives the rounded product."""

    def __init__(self, factors: npt.NDArray[np.int32], bits: int) -> None:
        import torch

        self.factors = torch.tensor(factors, dtype=torch.float64)
        self.bits = bits

    def clamp(self, low: float, high: float) -> _RoundedDecay:
        """Itself: 0 ≤ k ≤ 2^bits holds for every layer."""
        return self

    def __mul__(self, state: Any) -> Any:
        """(state·k + 2^(bits−1)) >> bits, for integers that float64 holds exactly."""
        import torch

        half = 2.0 ** (self.bits - 1) if self.bits else 0.0
        return torch.floor((state * self.factors + half) / 2.0**self.bits)


_RESETS = {
    "subtract": ("subtract", True),
    "zero_with_input": ("zero", True),
    "none": ("none", True),
    "subtract_guarded": ("subtract", False),
}


def can_run(layer: LeakyNeurons) -> bool:
    """Whether snnTorch has neurons that compute what this layer declares."""
    model = layer.model
    return (
        model.name.startswith("snntorch_")
        and model.decay == "multiply"
        and model.accumulation == "sum"
        and model.reset in ("zero", *_RESETS)
        and layer.delays is None
        and layer.recurrent_delays is None
        and not layer.initial.any()
    )


def _neuron(layer: LeakyNeurons, where: str) -> Any:
    """The snnTorch module with this layer's parameters, its states in the layer's own units."""
    import snntorch
    import torch

    model = layer.model
    if model.reset == "zero":
        reset, delayed = "zero", bool(model.reset_delay)
    else:
        reset, delayed = _RESETS[model.reset]
    recurrent = layer.recurrent is not None

    if not can_run(layer):
        raise InputError(where, "has delays, a decay, an accumulation or a first membrane that snnTorch has not")
    options: dict[str, Any] = {
        "threshold": torch.tensor(layer.threshold, dtype=torch.float64),
        "reset_mechanism": reset,
        "reset_delay": delayed,
    }
    if recurrent:
        options |= {"all_to_all": True, "linear_features": layer.neurons}
    if model.current:
        kind = snntorch.RSynaptic if recurrent else snntorch.Synaptic
        neuron = kind(alpha=0.5, beta=0.5, **options)
    else:
        # Lapicque with gain 1 in its weights is Leaky, but for a reset to zero that drops the input: as RLeaky's does.
        dropping = model.reset == "zero_with_input" and not recurrent
        if dropping:
            options |= {"all_to_all": True, "linear_features": layer.neurons}
        kind = snntorch.RLeaky if recurrent or dropping else snntorch.Leaky
        neuron = kind(beta=0.5, **options)
        recurrent = recurrent or dropping
    neuron = neuron.double()
    for name, factors in (("beta", layer.membrane_decay), ("alpha", layer.current_decay)):
        if hasattr(neuron, name):
            delattr(neuron, name)
            setattr(neuron, name, _RoundedDecay(factors, model.decay_bits))
    if recurrent:
        weight = layer.recurrent if layer.recurrent is not None else np.zeros((layer.neurons, layer.neurons))
        neuron.recurrent.weight.data = torch.tensor(weight * 2.0**model.weight_shift, dtype=torch.float64)
        neuron.recurrent.bias.data = torch.zeros(layer.neurons, dtype=torch.float64)
    return neuron


def run_on_snntorch(
    network: Network, q: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], dict[str, npt.NDArray[np.int32]], str]:
    """Outputs int32 [samples, outputs], emitted integers by node int32 [samples, steps · neurons], the version.

    Exact: every number on the way is an integer below 2^53. Layers that are not neurons are computed by their own
    definition.
    """
    import snntorch

    values = {network.nodes[0].name: network.check_input(np.asarray(q))}
    layers: dict[str, npt.NDArray[np.int32]] = {}
    leaky = network.of_kind(LeakyNeurons)
    for node in network.layers:
        if node.name in leaky:
            values[node.name] = layers[node.name] = _run(leaky[node.name], values[node.inputs[0]], f"layer {node.name}")
        else:
            values[node.name] = node.layer.evaluate(*(values[name] for name in node.inputs))
    return values[network.nodes[-1].name], layers, str(snntorch.__version__)


def _run(layer: LeakyNeurons, x: npt.NDArray[Any], where: str) -> npt.NDArray[np.int32]:
    """What a layer emits for x [samples, steps · inputs]: int32 [samples, steps · neurons]."""
    import torch

    neuron = _neuron(layer, where)
    recurrent = type(neuron).__name__ in ("RLeaky", "RSynaptic")
    states = [torch.zeros(len(x), layer.neurons, dtype=torch.float64)] * (1 + layer.model.current + recurrent)
    unit = 2.0**layer.model.weight_shift
    weight = torch.tensor(layer.weight * unit, dtype=torch.float64)
    bias = torch.tensor(layer.bias, dtype=torch.float64)
    events = torch.tensor(x.reshape(len(x), layer.steps, layer.inputs), dtype=torch.float64)
    sent = []
    with torch.no_grad():
        for step in range(layer.steps):
            result = neuron(events[:, step] @ weight.T + bias, *states)
            states = [state.double() for state in (result if recurrent else result[1:])]
            sent.append(result[-1] if layer.model.emission == "membrane" else result[0])
    return torch.stack(sent, dim=1).reshape(len(x), -1).numpy().astype(np.int32)
