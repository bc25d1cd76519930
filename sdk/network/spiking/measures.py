"""What a network costs in integers: synaptic operations, spikes, sparsity, operations, bytes moved, and energy.

Synaptic operations and activation sparsity are counted as NeuroBench defines them (Yik et al., 2025): an operation
for each non-zero activation behind each non-zero weight, an accumulate (AC) if activations are spikes of −1 or 1,
else a multiply-accumulate (MAC); sparsity is the share of zero activations over all neurons, samples and steps.
The energy is an estimate from integer operations and bytes with `ENERGY_PJ`, for logic in 45 nm: it ranks forms of
one network, it is not a chip's consumption.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..golden import IntTensor, trace
from ..layers.dense import Dense
from ..layers.input_spikes import InputSpikes
from ..layers.leaky_neurons import LeakyNeurons
from ..layers.neurons import Neurons
from ..layers.tables import Tables
from ..layers.threshold import Threshold
from ..network import Network
from .dynamics import Record
from .recording import record
from .time_stepped import SpikeRun, run

__all__ = ["ENERGY_PJ", "measure"]

ENERGY_PJ = {"add8": 0.03, "add32": 0.1, "multiply8": 0.2, "byte": 10 / 8}
"""Picojoule per 8-bit and 32-bit addition, per 8-bit multiplication, and per byte of a 64-bit read from 8 KB of SRAM:
M. Horowitz, "Computing's energy problem", ISSCC 2014, 45 nm, 0.9 V."""

_STATE_BYTES = 4


def _layer(
    *,
    accumulates: float = 0.0,
    multiply_accumulates: float = 0.0,
    dense_operations: int = 0,
    spikes: float | None = None,
    sparsity: float | None = None,
    comparisons: float = 0.0,
    weight_bits: int = 8,
    state_traffic: bool = False,
) -> dict[str, Any]:
    operations = accumulates + multiply_accumulates
    moved = operations * weight_bits / 8 + (operations * 2 * _STATE_BYTES if state_traffic else operations)
    energy = (
        (operations + comparisons) * ENERGY_PJ["add32"]
        + multiply_accumulates * ENERGY_PJ["multiply8"]
        + moved * ENERGY_PJ["byte"]
    )
    result: dict[str, Any] = {
        "synaptic_operations": {
            "accumulates": accumulates,
            "multiply_accumulates": multiply_accumulates,
            "dense": dense_operations,
        },
        "additions": operations + comparisons,
        "multiplications": multiply_accumulates,
        "bytes_moved": moved,
        "energy_pj": energy,
    }
    if spikes is not None:
        result["spikes"] = spikes
    if sparsity is not None:
        result["activation_sparsity"] = sparsity
    return result


def measure(network: Network, q: npt.NDArray[Any]) -> dict[str, Any]:
    """Means per sample over q [samples, inputs], JSON-able: `layers` by node name, and `total`.

    Each layer has synaptic_operations {accumulates, multiply_accumulates, dense}, additions, multiplications,
    bytes_moved, energy_pj, and for populations spikes and activation_sparsity. Of bytes, each operation reads its
    weight; a product of the quantized form reads a byte of activation too, an event reads and writes a membrane of 4
    bytes. Three kinds of network are counted: the quantized form, the exact spiking form (by running its spikes) and
    classic spiking networks.
    """
    if network.of_kind(LeakyNeurons):
        layers = _classic(network, q)
    elif any(node.layer.population for node in network.layers):
        layers = _exact(network, run(network, q))
    else:
        layers = _quantized(network, q)
    total: dict[str, Any] = {}
    for name in ("additions", "multiplications", "bytes_moved", "energy_pj", "spikes"):
        if any(name in layer for layer in layers.values()):
            total[name] = float(sum(layer.get(name, 0) for layer in layers.values()))
    total["synaptic_operations"] = float(
        sum(
            layer["synaptic_operations"]["accumulates"] + layer["synaptic_operations"]["multiply_accumulates"]
            for layer in layers.values()
        )
    )
    return {"samples": len(q), "layers": layers, "total": total, "energy_table_pj": dict(ENERGY_PJ)}


def _quantized(network: Network, q: npt.NDArray[Any]) -> dict[str, Any]:
    values = trace(network, q)
    return {
        node.name: _QUANTIZED[node.layer.kind](node.layer, values[node.inputs[0]])
        for node in network.layers
        if node.layer.kind in _QUANTIZED
    }


def _dense(layer: Dense, x: IntTensor) -> dict[str, Any]:
    centred = x - layer.input_zero_point
    fan_out = np.count_nonzero(layer.weight, axis=0)
    # A quantized layer does all its products, zero or not; NeuroBench counts the effective ones.
    counted = _layer(
        multiply_accumulates=float(layer.weight.size),
        dense_operations=int(layer.weight.size),
        weight_bits=layer.weight_bits,
        sparsity=float(np.mean(centred == 0)),
    )
    effective = float((np.count_nonzero(centred, axis=0) * fan_out).sum() / max(len(x), 1))
    counted["synaptic_operations"]["multiply_accumulates"] = effective
    return counted


def _threshold(layer: Threshold, x: IntTensor) -> dict[str, Any]:
    return _layer(comparisons=float(layer.channels * layer.levels))


def _tables(layer: Tables, x: IntTensor) -> dict[str, Any]:
    added = layer.features * layer.outputs
    return _layer(accumulates=float(added), dense_operations=added, weight_bits=layer.entry_bits)


_QUANTIZED: dict[str, Callable[..., dict[str, Any]]] = {"dense": _dense, "tables": _tables, "threshold": _threshold}
"""What a layer of the quantized form costs for its inputs, by its kind."""


def _exact(network: Network, spiking: SpikeRun) -> dict[str, Any]:
    layers: dict[str, Any] = {}
    neurons, dense = network.of_kind(Neurons), network.of_kind(Dense)
    encodings = {name: layer.encoding for name, layer in (network.of_kind(InputSpikes) | neurons).items()}
    for node in network.layers:
        fires = node.name in encodings
        if not fires:
            encodings[node.name] = encodings.get(node.inputs[0], "")
        spikes, operations = spiking.spikes.get(node.name), spiking.synaptic_operations.get(node.name)
        if spikes is None and operations is None:
            continue
        synapses = dense.get(node.inputs[0] if fires else node.name)
        counted: dict[str, Any] = {"weight_bits": synapses.weight_bits if synapses else 8}
        if operations is not None:
            # A payload is multiplied with; the powers of two of `sar` and the ramp of `ttfs` are shifts and additions.
            payload = encodings[node.inputs[0]] in ("graded", "direct")
            counted["multiply_accumulates" if payload else "accumulates"] = float(operations.mean())
            counted["dense_operations"] = int(synapses.weight.size) if synapses else 0
        if spikes is not None:
            counted["spikes"] = float(np.count_nonzero(spikes) / max(spikes.shape[1], 1))
            counted["sparsity"] = float(np.mean(spikes == 0))
            counted["comparisons"] = 2.0 * spikes.shape[0] * spikes.shape[2] if node.name in neurons else 0.0
        layers[node.name] = _layer(state_traffic=True, **counted)
    return layers


def _classic(network: Network, q: npt.NDArray[Any]) -> dict[str, Any]:
    values = trace(network, q)
    records: dict[str, Record] = record(network, q)
    layers: dict[str, Any] = {}
    leaky = network.of_kind(LeakyNeurons)
    for node in network.layers:
        if node.name not in leaky:
            continue
        layer = leaky[node.name]
        x = values[node.inputs[0]].reshape(len(q), layer.steps, layer.inputs)
        fan_out = np.count_nonzero(layer.weight, axis=0)
        operations = float((np.count_nonzero(x, axis=(0, 1)) * fan_out).sum() / max(len(q), 1))
        spikes = records[node.name].spikes
        if layer.recurrent is not None:
            recurrent_fan_out = np.count_nonzero(layer.recurrent, axis=0)
            operations += float((np.count_nonzero(spikes[:-1], axis=(0, 1)) * recurrent_fan_out).sum() / len(q))
        binary = bool(x.size == 0 or (x.min() >= -1 and x.max() <= 1))
        states = 2 if layer.model.current else 1
        layers[node.name] = _layer(
            **{"accumulates" if binary else "multiply_accumulates": operations},
            dense_operations=layer.steps * int(layer.weight.size),
            spikes=float(spikes.sum() / max(len(q), 1)),
            sparsity=float(np.mean(spikes == 0)),
            comparisons=float(layer.steps * layer.neurons * (1 + 2 * states)),
            weight_bits=layer.weight_bits,
            state_traffic=True,
        )
    return layers
