"""What a model, a network or a bundle consists of, layer by layer, as JSON-able rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .network import Network
from .network import network_file as file
from .network.task import BINARY

if TYPE_CHECKING:
    from .frontends.mlp import Mlp
    from .frontends.snn import Snn

__all__ = ["describe_mlp", "describe_network", "describe_snn"]


def describe_network(network: Network) -> dict[str, Any]:
    """Layers with sizes, exact value ranges and widths in bits, and the number of parameters."""
    layers = []
    for node in network.nodes:
        value_range = network.ranges[node.name]
        low, high = value_range.bounds
        _, tensors = node.layer.parts()
        layers.append(
            {
                "name": node.name,
                "kind": node.layer.kind,
                "inputs": list(node.inputs),
                "outputs": value_range.channels,
                "low": low,
                "high": high,
                "bits": value_range.bits,
                "parameters": int(sum(array.size for array in tensors.values())),
                "summary": node.layer.summary(),
                "origin": node.origin,
            }
        )
    return {
        "name": network.name,
        "model_hash": file.model_hash(network),
        "inputs": network.input_size,
        "outputs": network.output_size,
        "labels": list(network.output.labels),
        "task": network.task,
        **({"threshold": network.output.decision_threshold} if network.task == BINARY else {}),
        "layers": layers,
    }


def describe_mlp(mlp: Mlp) -> dict[str, Any]:
    """Operators of a float model with sizes and the number of parameters."""
    layers = []
    for node in mlp.nodes:
        arrays = node.operator.parameters.values()
        layers.append(
            {
                "name": node.name,
                "kind": node.operator.kind,
                "inputs": list(node.inputs),
                "outputs": mlp.sizes[node.name],
                "parameters": int(sum(array.size for array in arrays)),
                "origin": node.origin,
            }
        )
    return {
        "name": mlp.name,
        "inputs": mlp.input_size,
        "outputs": mlp.output_size,
        "final": mlp.final,
        "layers": layers,
    }


def describe_snn(snn: Snn) -> dict[str, Any]:
    """Layers of a float spiking network: synapses, decays, thresholds (smallest to largest) and how they reset."""
    layers = []
    for layer, sources in zip(snn.layers, snn.sources, strict=True):
        constants = {"beta": layer.beta, "threshold": layer.threshold}
        if layer.alpha is not None:
            constants["alpha"] = layer.alpha
        told = [f"{name} {_span(values)}" for name, values in constants.items()]
        told.append(f"reset {layer.reset}" + ("" if layer.reset_delay or layer.reset == "none" else " at once"))
        told += [name for name in ("recurrent", "delays") if getattr(layer, name) is not None]
        arrays = (layer.weight, layer.bias, layer.recurrent)
        layers.append(
            {
                "name": layer.name,
                "kind": "spiking neurons",
                "inputs": [snn.layers[source].name if source >= 0 else "input" for source in sources],
                "outputs": len(layer.bias),
                "parameters": int(sum(array.size for array in arrays if array is not None)),
                "summary": ", ".join(told),
            }
        )
    return {
        "name": snn.name,
        "inputs": snn.input_size,
        "outputs": snn.output_size,
        "labels": list(snn.labels),
        "layers": layers,
    }


def _span(values: Any) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} … {high:g}"
