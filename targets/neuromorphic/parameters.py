"""A network's integers in the terms of a chip's own tools, as JSON-able values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgeml.network import Network

from .populations import populations

__all__ = ["PARAMETERS", "akida_parameters", "generic_parameters", "loihi_parameters", "xylo_parameters"]


def generic_parameters(network: Network) -> dict[str, Any]:
    """Every population with all that its model takes."""
    layers, _ = populations(network)
    described = []
    for layer in layers:
        entry: dict[str, Any] = {"name": layer.node, "model": layer.model, "weights": layer.weight.tolist()}
        if layer.leaky is not None:
            attributes, tensors = layer.leaky.parts()
            entry |= {key: value for key, value in attributes.items() if value is not None}
            entry |= {key: value.tolist() for key, value in tensors.items() if key != "weight"}
        else:
            assert layer.dense is not None
            entry["bias"] = layer.dense.bias.tolist()
            entry["input_zero_point"] = layer.dense.input_zero_point
            if layer.counting is not None:
                entry["thresholds"] = layer.counting.thresholds.tolist()
                entry["base"] = layer.counting.base
        described.append(entry)
    return {"populations": described}


def loihi_parameters(network: Network) -> dict[str, Any]:
    """What lava's `LIF` (fixed point) and `Dense` processes take: weights of 9 bits before truncation, exponents,
    du, dv, vth, and biases in the compartments' units."""
    layers, _ = populations(network)
    described = []
    for layer in layers:
        neurons = layer.leaky
        if neurons is None or layer.model != "loihi":
            return generic_parameters(network)
        described.append(
            {
                "name": layer.node,
                "weights": (2 * layer.weight.astype(np.int64)).tolist(),
                "weight_exp": neurons.model.weight_shift - 7
                if neurons.model.weight_shift > 6
                else -1 - neurons.model.dropped_bits,
                "du": (4095 - neurons.current_decay.astype(np.int64)).tolist(),
                "dv": (4096 - neurons.membrane_decay.astype(np.int64)).tolist(),
                "vth": (neurons.threshold >> 6).tolist(),
                "bias": neurons.bias.tolist(),
            }
        )
    return {"lava_processes": described, "input_delay": 1}


def xylo_parameters(network: Network) -> dict[str, Any]:
    """What `xylosim.v2` and the chip's configuration hold: input, recurrent and output weights, dashes, thresholds.

    Hidden layers share one population on the chip: a layer behind another is part of its recurrent weights.
    """
    layers, _ = populations(network)
    hidden, last = layers[:-1], layers[-1]
    leaky = [layer.leaky for layer in layers if layer.leaky is not None]
    size = sum(layer.size for layer in hidden)
    recurrent = np.zeros((size, size), np.int64)  # [from, to]
    start = 0
    for position, layer in enumerate(hidden):
        here = slice(start, start + layer.size)
        if layer.recurrent is not None:
            recurrent[here, here] = layer.recurrent.T
        if position:
            before = slice(start - hidden[position - 1].size, start)
            recurrent[before, here] = layer.weight.T
        start += layer.size
    # Output neurons listen to the last hidden layer; the others are there, with weights of zero.
    readout = np.zeros((size, last.size), np.int64)
    readout[size - last.weight.shape[1] :] = last.weight.T
    own = [position for position, layer in enumerate(hidden) if position or layer.recurrent is not None]
    shift_recurrent = leaky[own[-1]].model.weight_shift if own else 0

    def joined(field: str) -> list[int]:
        return [int(value) for layer in leaky[:-1] for value in getattr(layer, field)]

    def of_last(field: str) -> list[int]:
        return [int(value) for value in getattr(leaky[-1], field)]

    return {
        "weights_in": hidden[0].weight.T.tolist(),
        "weights_rec": recurrent.tolist(),
        "weights_out": readout.tolist(),
        "weight_shift_inp": leaky[0].model.weight_shift,
        "weight_shift_rec": shift_recurrent,
        "weight_shift_out": leaky[-1].model.weight_shift,
        "dash_syn": joined("current_decay"),
        "dash_mem": joined("membrane_decay"),
        "threshold": joined("threshold"),
        "bias": joined("bias"),
        "dash_syn_out": of_last("current_decay"),
        "dash_mem_out": of_last("membrane_decay"),
        "threshold_out": of_last("threshold"),
        "bias_out": of_last("bias"),
    }


def akida_parameters(network: Network) -> dict[str, Any]:
    """FullyConnected layers of Akida 1.0: clip(ceil((W·x − threshold) / (act_step·16/2^bits)), 0, 2^bits − 1).

    threshold = θ − 1 − charge and act_step = θ · 2^bits / 16 make that ⌊(W·x + charge) / θ⌋: the exact neurons, one
    threshold θ each. The bias of a last layer without activation is added by the host.
    """
    layers, _ = populations(network)
    quantizer = network.quantizer
    described = []
    for layer in layers:
        assert layer.dense is not None
        weight = layer.weight.astype(np.int64)
        constant = layer.dense.bias.astype(np.int64) - layer.dense.input_zero_point * weight.sum(axis=1)
        low, high = int(weight.min()), int(weight.max())
        entry: dict[str, Any] = {
            "name": layer.node,
            "weights": weight.tolist(),
            "weights_bits": 1 if low >= 0 and high <= 1 else 2 if low >= -1 and high <= 1 else 4,
        }
        if layer.counting is not None:
            schedule = layer.counting.schedule
            theta = schedule.increments[:, 0]
            bits = int(layer.counting.levels).bit_length()
            entry["activation_bits"] = bits
            entry["threshold"] = (theta - 1 - (constant + schedule.charge)).tolist()
            entry["act_step"] = (theta * 2.0**bits / 16).tolist()
        else:
            entry["host_bias"] = constant.tolist()
        described.append(entry)
    bits = next(b for b in (1, 2, 4, 8) if quantizer.high < 2**b)
    return {"input_bits": bits, "layers": described}


PARAMETERS: Mapping[str, Callable[[Network], dict[str, Any]]] = {
    "generic": generic_parameters,
    "loihi": loihi_parameters,
    "xylo": xylo_parameters,
    "akida": akida_parameters,
}
"""Functions that describe a network to a chip's tools, by the profile's `chip`."""
