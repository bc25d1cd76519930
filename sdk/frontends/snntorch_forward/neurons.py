"""The parameters of snnTorch's neurons, as a layer of a float spiking network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..snn import SnnLayer
from .operands import array

__all__ = ["check_neuron", "neuron_layer"]

_REFUSED = {
    "inhibition": "lateral inhibition (one spike per layer)",
    "state_quant": "quantized states of snnTorch's own",
}

Floats = npt.NDArray[np.float64]


def check_neuron(where: str, module: Any) -> None:
    """Raises InputError for settings of a neuron that have no integer form here, or that snnTorch cannot run."""
    for field, meaning in _REFUSED.items():
        if getattr(module, field, False):
            raise InputError(where, f"uses {meaning}, which has no integer form here")
    graded = getattr(module, "graded_spikes_factor", None)
    if graded is not None and not np.all(array(graded) == 1):
        raise InputError(where, "scales its spikes (graded_spikes_factor)", "Multiply the next layer's weights instead")
    if type(module).__name__ == "RSynaptic" and not module.reset_delay:
        raise InputError(where, "snnTorch's RSynaptic does not run with reset_delay=False", "Use reset_delay=True")


def neuron_layer(
    name: str,
    where: str,
    module: Any,
    weight: Floats,
    bias: Floats,
    own: Floats | None = None,
    delays: npt.NDArray[np.int64] | None = None,
) -> SnnLayer:
    """A layer of the neurons of `module` behind synapses weight [neurons, inputs] and bias [neurons].

    own : weights [neurons, neurons] from their spikes of the step before that stand outside of the module.
    delays : whole steps [neurons, inputs]. Raises InputError for what has no integer form here.
    """
    kind, neurons = type(module).__name__, len(bias)

    def per_neuron(tensor: Any, what: str) -> Floats:
        values = array(tensor).ravel()
        if values.size not in (1, neurons):
            raise InputError(where, f"{what} has {values.size} values for {neurons} neurons")
        return np.broadcast_to(values, (neurons,)).copy()

    beta = np.clip(per_neuron(module.beta, "beta"), 0, 1)
    if kind == "Lapicque":
        # The stored beta is not used by snnTorch: U decays by 1 − dt/RC and gains dt/C.
        capacitance, step = per_neuron(module.C, "C"), per_neuron(module.time_step, "time_step")
        beta = 1 - step / (per_neuron(module.R, "R") * capacitance)
        gain = step / capacitance
        weight, bias, own = weight * gain[:, None], bias * gain, None if own is None else own * gain[:, None]
    recurrent = None
    if kind in ("RLeaky", "RSynaptic"):
        inner = module.recurrent
        if type(inner).__name__ == "Linear":
            recurrent = array(inner.weight)
            if inner.bias is not None:
                bias = bias + array(inner.bias)
        elif hasattr(inner, "V"):
            recurrent = np.diag(per_neuron(inner.V, "V"))
        else:
            raise InputError(where, f"has recurrent connections of type {type(inner).__name__}; Linear and V are read")
    delayed = bool(getattr(module, "reset_delay", True))
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
        own if recurrent is None else recurrent if own is None else recurrent + own,
        delays,
    )
