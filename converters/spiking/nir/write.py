"""Write a spiking network as .nir: real-valued nodes for other tools, and the exact integers beside them.

NIR 1.0 has no integers, no time step, no reset by subtraction and no spike encodings. What it cannot say is returned
in so many words; the whole network stands in the group `edgeml` of the same file, which other readers pass over.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, MissingTool
from edgeml.network import Dense, Network, network_file
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.neurons import Neurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.verification.stated_scales import StatedScales

if TYPE_CHECKING:
    import h5py

__all__ = ["EXACT_GROUP", "NIR_STEP", "NIR_VERSION", "REAL_NUMBERS", "h5py_module", "nir_bytes"]

NIR_VERSION = "1.0"
NIR_STEP = 1e-4
"""Seconds of one time step: what snnTorch and SpikingJelly take, NIR having none."""
EXACT_GROUP = "edgeml"
REAL_NUMBERS = "real_numbers"
"""In that group: how real numbers become the integers that go into the file's nodes, and integers real outputs."""

Floats = npt.NDArray[np.float64]


def h5py_module() -> Any:
    """The package h5py; MissingTool where it is not installed."""
    try:
        import h5py
    except ImportError as error:
        remedy = "pip install 'edgeml[neuromorphic]'"
        raise MissingTool(".nir files", "the package h5py is not installed", remedy) from error
    return h5py


def nir_bytes(network: Network) -> tuple[bytes, tuple[str, ...]]:
    """The file's content, and sentences on what its NIR nodes do not say. The same network gives the same bytes.

    Raises InputError naming a layer that is no chain of synapses and neurons, MissingTool without h5py.
    """
    h5py = h5py_module()
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[tuple[str, str]] = []
    lost: list[str] = []
    previous, waiting = "input", None
    channels = network.input_size
    for position, node in enumerate(network.layers):
        layer, where = node.layer, f"layer {node.name}"
        if node.inputs != (network.nodes[position].name,):
            raise InputError(where, "takes another input than the layer before: NIR is written for chains only")
        if isinstance(layer, SpikeEncoder):
            lost.append(f"{node.name}: the {layer.encoder} input encoder; feed the events that it makes")
            channels = layer.features
        elif isinstance(layer, InputSpikes):
            if layer.encoding != "direct":
                lost.append(f"{node.name}: the {layer.encoding} encoding of the input")
        elif isinstance(layer, SpikeReadout):
            lost.append(f"{node.name}: reading the {layer.reading} over {layer.steps} steps")
        elif isinstance(layer, LeakyNeurons):
            if not nodes:
                channels = layer.inputs
            nodes[f"{node.name}_synapses"] = _affine(layer)
            nodes[node.name], said = _leaky(node.name, layer)
            edges += [(previous, f"{node.name}_synapses"), (f"{node.name}_synapses", node.name)]
            previous = node.name
            lost += said
        elif isinstance(layer, Dense):
            bias = layer.bias - layer.input_zero_point * layer.weight.sum(axis=1)
            nodes[node.name] = {"type": "Affine", "weight": _f4(layer.weight), "bias": _f4(bias)}
            edges.append((previous, node.name))
            previous, waiting = node.name, node
        elif isinstance(layer, Neurons) and waiting is not None:
            schedule = layer.schedule
            nodes[waiting.name]["bias"] = nodes[waiting.name]["bias"] + _f4(schedule.charge)
            nodes[node.name] = {
                "type": "IF",
                "r": np.ones(layer.channels, np.float32),
                "v_threshold": _f4(np.maximum(schedule.steps[:, 0], 1) - 0.5),
                "v_reset": np.zeros(layer.channels, np.float32),
            }
            edges.append((previous, node.name))
            previous, waiting = node.name, None
            uneven = int(np.count_nonzero(~schedule.uniform))
            lost.append(f"{node.name}: the {layer.encoding} encoding and its reset by subtraction")
            if uneven:
                lost.append(
                    f"{node.name}: the schedule of thresholds of {uneven} neurons; the first step stands for it"
                )
        else:
            raise InputError(where, f"a layer of kind {layer.kind!r} has no NIR node")
    nodes["input"] = {"type": "Input", "shape": np.array([channels])}
    size = network.sizes[previous] if previous != "input" else channels
    for node in network.nodes:
        if node.name == previous and isinstance(node.layer, LeakyNeurons):
            size = node.layer.neurons
    nodes["output"] = {"type": "Output", "shape": np.array([size])}
    edges.append((previous, "output"))
    content = io.BytesIO()
    with h5py.File(content, "w", track_order=False) as file:
        text = h5py.string_dtype()
        file.create_dataset("version", data=NIR_VERSION, dtype=text)
        _graph(file.create_group("node"), nodes, edges, text)
        exact = file.create_group(EXACT_GROUP)
        exact.create_dataset("network", data=np.frombuffer(network_file.to_bytes(network, origins=False), np.uint8))
        exact.create_dataset(REAL_NUMBERS, data=StatedScales.of(network).as_json(), dtype=text)
        exact.create_dataset("not_said", data=np.array(lost or ["nothing"], dtype=object), dtype=text)
    return content.getvalue(), tuple(lost)


def _f4(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.asarray(values).astype(np.float32)


def _graph(group: h5py.Group, nodes: dict[str, dict[str, Any]], edges: list[tuple[str, str]], text: Any) -> None:
    group.create_dataset("type", data="NIRGraph", dtype=text)
    group.create_dataset("edges", data=np.array(edges, dtype=object), dtype=text)
    entries = group.create_group("nodes")
    for name in sorted(nodes):
        node = entries.create_group(name)
        if nodes[name]["type"] == "NIRGraph":
            _graph(node, nodes[name]["nodes"], nodes[name]["edges"], text)
            continue
        for field, value in nodes[name].items():
            if isinstance(value, str):
                node.create_dataset(field, data=value, dtype=text)
            else:
                node.create_dataset(field, data=value)


def _affine(layer: LeakyNeurons) -> dict[str, Any]:
    """Weights as they are: one integer unit of weight is 1.0; states lose their fraction bits, not their value."""
    reachable = layer.model.bias_into == "current" or not layer.model.current
    bias = layer.bias / 2.0**layer.model.weight_shift if reachable else 0
    return {
        "type": "Affine",
        "weight": _f4(layer.weight * 2.0**-layer.model.dropped_bits),
        "bias": _f4(np.broadcast_to(np.asarray(bias), (layer.neurons,))),
    }


def _kept(layer: LeakyNeurons, factors: npt.NDArray[np.int32]) -> Floats:
    """β of a decay rule, per neuron."""
    rule = layer.model.decay
    if rule in ("multiply", "multiply_toward_zero"):
        return np.asarray(factors / 2.0**layer.model.decay_bits)
    if rule == "shift":
        return np.asarray(1 - 2.0 ** -factors.astype(np.float64))
    return np.ones(layer.neurons)


def _leaky(name: str, layer: LeakyNeurons) -> tuple[dict[str, Any], list[str]]:
    """The neurons as LIF, CubaLIF or IF (with recurrent synapses, a graph around them), and what that does not say.

    dt/τ = 1 − β, and r = τ/dt undoes the gain that NIR's equation has: v ← β·v + I.
    """
    model = layer.model
    lost = [f"{name}: integer arithmetic ({model.decay} decay, {model.bits}-bit states, limits {model.membrane_limit})"]
    if model.reset not in ("zero", "zero_with_input") or model.reset_delay:
        how = f"{model.reset}{', one step late' if model.reset_delay else ''}"
        lost.append(f"{name}: the reset ({how}); NIR resets to a value at once")
    if model.max_spikes > 1:
        lost.append(f"{name}: up to {model.max_spikes} spikes a step")
    if model.input_delay or layer.delays is not None or layer.recurrent_delays is not None:
        lost.append(f"{name}: delays of its synapses")
    if model.emission == "membrane":
        lost.append(f"{name}: it gives its membrane and does not fire")
    if layer.initial.any():
        lost.append(f"{name}: the membranes that it starts from")
    if model.decay == "subtract" and layer.membrane_decay.any():
        lost.append(f"{name}: its constant leak")
    if layer.bias.any() and model.current and model.bias_into == "membrane":
        lost.append(f"{name}: the bias of its membranes")
    # Halfway between two integers: > and ≥ are the same there, and no rounding of a float simulator decides a tie.
    half = 0.5 if model.compare == "greater" else -0.5
    threshold = (layer.threshold + half) / 2.0**model.weight_shift
    beta = _kept(layer, layer.membrane_decay)
    size = layer.neurons
    zero = np.zeros(size, np.float32)
    lossless = np.all(beta == 1)
    tau = NIR_STEP / np.maximum(1 - beta, 1e-9)
    if model.current:
        alpha = _kept(layer, layer.current_decay)
        tau_syn = NIR_STEP / np.maximum(1 - alpha, 1e-9)
        node = {
            "type": "CubaLIF",
            "tau_syn": _f4(tau_syn),
            "tau_mem": _f4(tau),
            "r": _f4(tau / NIR_STEP),
            "v_leak": zero,
            "v_reset": zero,
            "v_threshold": _f4(threshold),
            "w_in": _f4(tau_syn / NIR_STEP),
        }
    elif lossless:
        node = {"type": "IF", "r": np.ones(size, np.float32), "v_reset": zero, "v_threshold": _f4(threshold)}
    else:
        node = {
            "type": "LIF",
            "tau": _f4(tau),
            "r": _f4(tau / NIR_STEP),
            "v_leak": zero,
            "v_reset": zero,
            "v_threshold": _f4(threshold),
        }
    if layer.recurrent is None:
        return node, lost
    nodes = {
        "input": {"type": "Input", "shape": np.array([size])},
        "lif": node,
        "w_rec": {"type": "Linear", "weight": _f4(layer.recurrent)},
        "output": {"type": "Output", "shape": np.array([size])},
    }
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    return {"type": "NIRGraph", "nodes": nodes, "edges": edges}, lost
