"""What a model, a network or a bundle consists of, layer by layer, as JSON-able rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .network import Network, file

if TYPE_CHECKING:
    from .frontends.mlp import Mlp

__all__ = ["describe_mlp", "describe_network"]


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
            }
        )
    return {
        "name": network.name,
        "model_hash": file.model_hash(network),
        "inputs": network.input_size,
        "outputs": network.output_size,
        "labels": list(network.output.labels),
        "layers": layers,
    }


def describe_mlp(mlp: Mlp) -> dict[str, Any]:
    """Operators of a float model with sizes and the number of parameters."""
    layers = []
    for node in mlp.nodes:
        arrays = [value for value in vars(node.operator).values() if hasattr(value, "size")]
        layers.append(
            {
                "name": node.name,
                "kind": type(node.operator).__name__.lower(),
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
