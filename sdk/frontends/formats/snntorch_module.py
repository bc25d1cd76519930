"""`torch.nn.Module` with snnTorch neurons: read as the chain of its linear layers and neurons."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..format import Format, Request
from ..snn import Snn, SnnLayer

__all__ = ["SnntorchModuleFormat"]

_NEURONS = ("Leaky", "Synaptic", "Lapicque", "RLeaky", "RSynaptic")
_REFUSED = {
    "inhibition": "lateral inhibition (one spike per layer)",
    "state_quant": "quantized states of snnTorch's own",
}

Floats = npt.NDArray[np.float64]


class SnntorchModuleFormat(Format):
    """Linear layers (and batch norm behind them) and Leaky, Synaptic, Lapicque, RLeaky or RSynaptic neurons, in turn.

    What a user's `forward` does over time is Python; modules are taken in the order in which they were registered,
    as in `nn.Sequential`, and Flatten, Dropout and Identity between them change nothing at inference.
    """

    description: ClassVar[str] = "a torch.nn.Module of linear layers and snnTorch neurons"
    rank: ClassVar[int] = 50

    def takes_object(self, source: Any) -> bool:
        """Whether `source` is a module that holds a neuron of snnTorch."""
        torch, snntorch = sys.modules.get("torch"), sys.modules.get("snntorch")
        if torch is None or snntorch is None or not isinstance(source, torch.nn.Module):
            return False
        return any(isinstance(module, snntorch.SpikingNeuron) for module in source.modules())

    def read(self, request: Request) -> Any:
        """The module as an `Snn`. Raises InputError naming the module that cannot be read."""
        chain = _leaves(request.source)
        layers: list[SnnLayer] = []
        weight: Floats | None = None
        bias: Floats = np.zeros(0)
        for name, module in chain:
            kind = type(module).__name__
            where = f"{request.where}, {name} ({kind})"
            if kind in ("Flatten", "Dropout", "Identity"):
                continue
            if kind == "Linear":
                if weight is not None:
                    raise InputError(where, "follows a linear layer without neurons between", "Merge the two")
                weight = _array(module.weight)
                bias = _array(module.bias) if module.bias is not None else np.zeros(len(weight))
            elif kind == "BatchNorm1d" and weight is not None:
                if module.running_mean is None:
                    raise InputError(where, "has no running statistics", "Train with track_running_stats=True")
                scale = 1 / np.sqrt(_array(module.running_var) + module.eps)
                shift = -_array(module.running_mean) * scale
                if module.affine:
                    scale, shift = scale * _array(module.weight), shift * _array(module.weight) + _array(module.bias)
                weight, bias = weight * scale[:, None], bias * scale + shift
            elif kind in _NEURONS and weight is not None:
                layers.append(_layer(name, where, module, weight, bias))
                weight = None
            else:
                raise InputError(
                    where,
                    "is not read here" if kind not in _NEURONS else "has no linear layer in front",
                    f"Networks of Linear (and BatchNorm1d) and {', '.join(_NEURONS)} in turn are",
                )
        if weight is not None:
            raise InputError(request.where, "ends in a linear layer without neurons", "Add a Leaky behind it")
        return Snn(request.model_name(type(request.source).__name__), tuple(layers))


def _leaves(module: Any) -> list[tuple[str, Any]]:
    """Modules without submodules, and neurons whole (a recurrent one has a linear layer inside), in order."""
    found = []
    for name, child in module.named_children():
        if type(child).__name__ in _NEURONS or not list(child.children()):
            found.append((name, child))
        else:
            found += [(f"{name}.{inner}", leaf) for inner, leaf in _leaves(child)]
    return found


def _array(tensor: Any) -> Floats:
    return np.array(tensor.detach().cpu().tolist(), dtype=np.float64)


def _layer(name: str, where: str, module: Any, weight: Floats, bias: Floats) -> SnnLayer:
    kind, neurons = type(module).__name__, len(bias)
    for field, meaning in _REFUSED.items():
        if getattr(module, field, False):
            raise InputError(where, f"uses {meaning}, which has no integer form here")
    graded = getattr(module, "graded_spikes_factor", None)
    if graded is not None and not np.all(_array(graded) == 1):
        raise InputError(where, "scales its spikes (graded_spikes_factor)", "Multiply the next layer's weights instead")

    def per_neuron(tensor: Any, what: str) -> Floats:
        values = _array(tensor).ravel()
        if values.size not in (1, neurons):
            raise InputError(where, f"{what} has {values.size} values for {neurons} neurons")
        return np.broadcast_to(values, (neurons,)).copy()

    beta = np.clip(per_neuron(module.beta, "beta"), 0, 1)
    if kind == "Lapicque":
        # The stored beta is not used by snnTorch: U decays by 1 − dt/RC and gains dt/C.
        capacitance, step = per_neuron(module.C, "C"), per_neuron(module.time_step, "time_step")
        beta = 1 - step / (per_neuron(module.R, "R") * capacitance)
        weight, bias = weight * (step / capacitance)[:, None], bias * step / capacitance
    recurrent = None
    if kind in ("RLeaky", "RSynaptic"):
        inner = module.recurrent
        if type(inner).__name__ == "Linear":
            recurrent = _array(inner.weight)
            if inner.bias is not None:
                bias = bias + _array(inner.bias)
        elif hasattr(inner, "V"):
            recurrent = np.diag(per_neuron(inner.V, "V"))
        else:
            raise InputError(where, f"has recurrent connections of type {type(inner).__name__}; Linear and V are read")
    delayed = bool(getattr(module, "reset_delay", True))
    if kind == "RSynaptic" and not delayed:
        raise InputError(where, "snnTorch's RSynaptic does not run with reset_delay=False", "Use reset_delay=True")
    return SnnLayer(
        name,
        weight,
        bias,
        beta,
        per_neuron(module.threshold, "threshold"),
        np.clip(per_neuron(module.alpha, "alpha"), 0, 1) if "Synaptic" in kind else None,
        str(module.reset_mechanism),
        delayed,
        kind != "Leaky",
        recurrent,
    )
