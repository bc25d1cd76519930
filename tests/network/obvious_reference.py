"""The quantized form computed in the slowest and most obvious way: Python integers, one loop per symbol of the
equations in the layers' docstrings, nothing shared with the golden simulator."""

from __future__ import annotations

from edgeml.network import Add, Dense, Network, Threshold
from edgeml.network.layers.tables import Tables

__all__ = ["obvious_trace"]


def _dense(layer: Dense, x: list[int]) -> list[int]:
    outputs = []
    for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
        accumulator = bias
        for weight, value in zip(row, x, strict=True):
            accumulator += weight * (value - layer.input_zero_point)
        outputs.append(accumulator)
    return outputs


def _threshold(layer: Threshold, x: list[int]) -> list[int]:
    outputs = []
    for row, value in zip(layer.thresholds.tolist(), x, strict=True):
        output = layer.base
        for threshold in row:
            if value >= threshold:
                output += 1
        outputs.append(output)
    return outputs


def _tables(layer: Tables, x: list[int]) -> list[int]:
    outputs = [int(bias) for bias in layer.bias]
    for rows, channel in zip(layer.rows.tolist(), layer.source.tolist(), strict=True):
        for output, entry in enumerate(layer.entries[rows[x[channel]]].tolist()):
            outputs[output] += entry
    return outputs


def obvious_trace(network: Network, q: list[int]) -> dict[str, list[int]]:
    """The integers of every node, by name, for the input integers of one sample."""
    values = {network.nodes[0].name: [int(value) for value in q]}
    for node in network.layers:
        inputs = [values[name] for name in node.inputs]
        if isinstance(node.layer, Dense):
            values[node.name] = _dense(node.layer, inputs[0])
        elif isinstance(node.layer, Threshold):
            values[node.name] = _threshold(node.layer, inputs[0])
        elif isinstance(node.layer, Tables):
            values[node.name] = _tables(node.layer, inputs[0])
        elif isinstance(node.layer, Add):
            values[node.name] = [a + b for a, b in zip(*inputs, strict=True)]
        else:
            raise NotImplementedError(node.layer.kind)
    return values
