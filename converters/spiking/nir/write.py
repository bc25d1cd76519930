"""Write a spiking network as .nir: real-valued nodes for other tools, and the exact integers beside them.

NIR 1.0 has no integers, no time step, no reset by subtraction and no spike encodings. What it cannot say is returned
in so many words; the whole network stands in the group `edgeml` of the same file, which other readers pass over.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, MissingTool
from edgeml.extras import install_extra
from edgeml.network import Dense, Encode, Network, network_file
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
    """The package h5py; MissingTool if it is not installed."""
    try:
        import h5py
    except ImportError as error:
        remedy = install_extra("neuromorphic")
        raise MissingTool(".nir files", "the package h5py is not installed", remedy) from error
    return h5py


def nir_bytes(network: Network) -> tuple[bytes, tuple[str, ...]]:
    """The file's content, and sentences on what its NIR nodes do not say. The same network gives the same bytes.

    Raises InputError naming a layer that is not part of a chain of synapses and neurons, MissingTool without h5py.
    """
    h5py = h5py_module()
    chain = _Chain(network)
    content = io.BytesIO()
    with h5py.File(content, "w", track_order=False) as file:
        text = h5py.string_dtype()
        file.create_dataset("version", data=NIR_VERSION, dtype=text)
        _graph(file.create_group("node"), chain.nodes, chain.edges, text)
        exact = file.create_group(EXACT_GROUP)
        exact.create_dataset("network", data=np.frombuffer(network_file.to_bytes(network, origins=False), np.uint8))
        exact.create_dataset(REAL_NUMBERS, data=StatedScales.of(network).as_json(), dtype=text)
        exact.create_dataset("not_said", data=np.array(chain.lost or ["nothing"], dtype=object), dtype=text)
    return content.getvalue(), tuple(chain.lost)


class _Chain:
    """A network's layers as NIR nodes in a row, with one method for each kind of layer.

    nodes : fields by name. edges : pairs of names. lost : sentences on what the nodes do not say.
    """

    def __init__(self, network: Network) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.edges: list[tuple[str, str]] = []
        self.lost: list[str] = []
        self._last, self._synapses = "input", ""
        self._inputs = network.input_size
        self._outputs = 0
        kinds: dict[str, Callable[..., None]] = {
            SpikeEncoder.kind: self._encoder,
            Encode.kind: self._encode,
            InputSpikes.kind: self._input_spikes,
            SpikeReadout.kind: self._readout,
            LeakyNeurons.kind: self._leaky,
            Dense.kind: self._dense,
            Neurons.kind: self._neurons,
        }
        for position, node in enumerate(network.layers):
            if node.inputs != (network.nodes[position].name,):
                raise InputError(
                    f"layer {node.name}",
                    "takes another input than the layer before: NIR is written for chains only",
                )
            kind = node.layer.kind
            if kind not in kinds or (kind == Neurons.kind and not self._synapses):
                raise InputError(f"layer {node.name}", f"a layer of kind {kind!r} has no NIR node")
            kinds[kind](node.name, node.layer)
        self.nodes["input"] = {"type": "Input", "shape": np.array([self._inputs])}
        self.nodes["output"] = {"type": "Output", "shape": np.array([self._outputs or self._inputs])}
        self.edges.append((self._last, "output"))

    def _append(self, name: str, fields: dict[str, Any], outputs: int) -> None:
        self.nodes[name] = fields
        self.edges.append((self._last, name))
        self._last, self._outputs = name, outputs

    def _encoder(self, name: str, layer: SpikeEncoder) -> None:
        self.lost.append(f"{name}: the {layer.encoder} input encoder; feed the events that it makes")
        self._inputs = layer.features

    def _encode(self, name: str, layer: Encode) -> None:
        self.lost.append(f"{name}: the input as bits; feed the bits ({layer.outputs} for {layer.inputs} features)")
        self._inputs = layer.outputs

    def _input_spikes(self, name: str, layer: InputSpikes) -> None:
        if layer.encoding != "direct":
            self.lost.append(f"{name}: the {layer.encoding} encoding of the input")

    def _readout(self, name: str, layer: SpikeReadout) -> None:
        self.lost.append(f"{name}: reading the {layer.reading} over {layer.steps} steps")

    def _leaky(self, name: str, layer: LeakyNeurons) -> None:
        if not self.nodes:
            self._inputs = layer.inputs
        self._append(f"{name}_synapses", _affine(layer), layer.neurons)
        self._append(name, _leaky_fields(layer), layer.neurons)
        self.lost += _unsaid(name, layer)

    def _dense(self, name: str, layer: Dense) -> None:
        bias = layer.bias - layer.input_zero_point * layer.weight.sum(axis=1)
        self._append(name, {"type": "Affine", "weight": _f4(layer.weight), "bias": _f4(bias)}, layer.outputs)
        self._synapses = name

    def _neurons(self, name: str, layer: Neurons) -> None:
        schedule, before = layer.schedule, self.nodes[self._synapses]
        before["bias"] = before["bias"] + _f4(schedule.charge)
        fields = {
            "type": "IF",
            "r": np.ones(layer.channels, np.float32),
            "v_threshold": _f4(np.maximum(schedule.increments[:, 0], 1) - 0.5),
            "v_reset": np.zeros(layer.channels, np.float32),
        }
        self._append(name, fields, layer.channels)
        self._synapses = ""
        self.lost.append(f"{name}: the {layer.encoding} encoding and its reset by subtraction")
        if uneven := int(np.count_nonzero(~schedule.uniform)):
            self.lost.append(f"{name}: the schedule of thresholds of {uneven} neurons; the first step stands for it")


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


def _unsaid(name: str, layer: LeakyNeurons) -> list[str]:
    """What NIR's neurons do not say of these."""
    model = layer.model
    late = ", one step late" if model.reset_delay else ""
    rounding = f"{model.decay} decay, {model.bits}-bit states, limits {model.membrane_limit}"
    delayed = model.input_delay or layer.delays is not None or layer.recurrent_delays is not None
    sentences = (
        (True, f"integer arithmetic ({rounding})"),
        (
            model.reset not in ("zero", "zero_with_input") or model.reset_delay,
            f"the reset ({model.reset}{late}); NIR resets to a value at once",
        ),
        (model.max_spikes > 1, f"up to {model.max_spikes} spikes a step"),
        (delayed, "delays of its synapses"),
        (model.emission == "membrane", "it gives its membrane and does not fire"),
        (layer.initial.any(), "the membranes that it starts from"),
        (model.decay == "subtract" and layer.membrane_decay.any(), "its constant leak"),
        (layer.bias.any() and model.current and model.bias_into == "membrane", "the bias of its membranes"),
    )
    return [f"{name}: {sentence}" for applies, sentence in sentences if applies]


def _leaky_fields(layer: LeakyNeurons) -> dict[str, Any]:
    """The neurons as LIF, CubaLIF or IF, and with recurrent synapses a graph around them.

    dt/τ = 1 − β, and r = τ/dt undoes the gain that NIR's equation has: v ← β·v + I.
    """
    model, size = layer.model, layer.neurons
    # Halfway between two integers: > and ≥ are the same there, and no rounding of a float simulator decides a tie.
    half = 0.5 if model.compare == "greater" else -0.5
    zero = np.zeros(size, np.float32)
    same = {"v_reset": zero, "v_threshold": _f4((layer.threshold + half) / 2.0**model.weight_shift)}
    beta = _kept(layer, layer.membrane_decay)
    tau = NIR_STEP / np.maximum(1 - beta, 1e-9)
    node: dict[str, Any]
    if model.current:
        tau_syn = NIR_STEP / np.maximum(1 - _kept(layer, layer.current_decay), 1e-9)
        node = {
            "type": "CubaLIF",
            "tau_syn": _f4(tau_syn),
            "tau_mem": _f4(tau),
            "r": _f4(tau / NIR_STEP),
            "v_leak": zero,
            **same,
            "w_in": _f4(tau_syn / NIR_STEP),
        }
    elif np.all(beta == 1):
        node = {"type": "IF", "r": np.ones(size, np.float32), **same}
    else:
        node = {"type": "LIF", "tau": _f4(tau), "r": _f4(tau / NIR_STEP), "v_leak": zero, **same}
    return node if layer.recurrent is None else _with_recurrence(node, layer.recurrent)


def _with_recurrence(neurons: dict[str, Any], recurrent: npt.NDArray[np.int32]) -> dict[str, Any]:
    """A graph of neurons and their recurrent synapses [neurons, neurons]."""
    size = np.array([len(recurrent)])
    nodes = {
        "input": {"type": "Input", "shape": size},
        "lif": neurons,
        "w_rec": {"type": "Linear", "weight": _f4(recurrent)},
        "output": {"type": "Output", "shape": size},
    }
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    return {"type": "NIRGraph", "nodes": nodes, "edges": edges}
