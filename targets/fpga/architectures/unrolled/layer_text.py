"""What the header of a layer's module says of it: what it computes, of what widths and ranges."""

from __future__ import annotations

from edgeml.network import Network, Node

from ...verilog.element import type_of

__all__ = ["layer_lines"]


def layer_lines(network: Network) -> dict[str, tuple[str, ...]]:
    """Lines of comment for each layer, by its name."""
    return {node.name: _lines(network, node) for node in network.layers}


def _lines(network: Network, node: Node) -> tuple[str, ...]:
    equation = (type(node.layer).__doc__ or "").strip().split("\n")[0]
    summary = node.layer.summary()
    what = f"{node.layer.kind}{f', {summary}' if summary else ''}"
    lines = [what, *([equation] if equation.isprintable() and equation else [])]
    lines += [f"takes {_values(network, name)}" for name in node.inputs]
    lines.append(f"gives {_values(network, node.name)}")
    origin = network.origins.get(node.name, "")
    return (*lines, *([f"from {origin}"] if origin else []))


def _values(network: Network, name: str) -> str:
    """How many values a node gives, and in which range."""
    low, high = network.ranges[name].bounds
    element = type_of(low, high)
    signed = "signed" if element.signed else "unsigned"
    return f"{name}: {network.sizes[name]} values, {low} … {high}, {element.bits} bits, {signed}"
