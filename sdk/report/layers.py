"""Layer by layer: weights, thresholds, the values that can occur and those that did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from ..network import Dense, Lookup, Network, Node, Requantize, Threshold, trace
from ..network.value_range import ValueRange
from .chart import chart, figure, histogram, thresholds
from .graph import graph
from .markup import pairs, section, table, text

__all__ = ["layers_section", "seen_values"]

MOST_LAYERS = 48
"""Layers drawn; of more only the table speaks."""
_MOST_TRACED = 2**24
_BINS = 48
_MOST_CHANNELS = 48
_MOST_LEVELS = 15


def seen_values(network: Network, q: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.int32]]:
    """The integers of every layer for as many test vectors q [vectors, inputs] as memory is worth."""
    most = max(_MOST_TRACED // max(sum(network.sizes.values()), 1), 1)
    return dict(trace(network, q[:most])) if len(q) else {}


def layers_section(network: Network, seen: Mapping[str, npt.NDArray[np.int32]]) -> str:
    """The table of all layers, the widths as bars of 32 bits, and a card for each layer with its figures."""
    rows = [_row(network, node, seen.get(node.name)) for node in network.nodes]
    columns = [column for column in rows[0] if any(row[column] != "" for row in rows)]
    nodes = network.nodes[:MOST_LAYERS]
    widths = "".join(_width(node.name, network.ranges[node.name], seen.get(node.name)) for node in nodes)
    cards = "".join(_card(network, node, seen.get(node.name)) for node in nodes)
    picture = graph(network)
    drawn = f'<div class="graph">{picture}</div>\n' if picture else ""
    more = len(network.nodes) - len(nodes)
    note = f'<p class="soft">{more:,} more layers are in the table only.</p>' if more > 0 else ""
    vectors = len(next(iter(seen.values()))) if seen else 0
    lead = "Ranges are derived from the weights: no value outside them can occur, whatever the input. " + (
        f"Seen: in {vectors:,} test vectors." if vectors else ""
    )
    return section(
        "Layer by layer",
        f'{drawn}{table(columns, rows, "Layers")}<div class="rows widths" role="group" aria-label="Widths">'
        f"<h3>Width of each value, of 32 bits: dark seen, pale derived</h3>{widths}</div>{cards}{note}",
        lead,
    )


def _bits(low: int, high: int) -> int:
    return ValueRange(np.array([low]), np.array([high])).bits


def _row(network: Network, node: Node, values: npt.NDArray[np.int32] | None) -> dict[str, Any]:
    value_range = network.ranges[node.name]
    low, high = value_range.bounds
    _, tensors = node.layer.parts()
    weight = tensors.get("weight")
    has_values = values is not None and values.size
    return {
        "layer": node.name,
        "kind": node.layer.kind.replace("_", " "),
        "outputs": value_range.channels,
        "bits": value_range.bits,
        "values": f"{text(low)} … {text(high)}",
        "seen": f"{text(int(values.min()))} … {text(int(values.max()))}" if values is not None and has_values else "",
        "parameters": int(sum(array.size for array in tensors.values())),
        "multiplications": int(weight.size) if weight is not None else "",
        "weights of 0": f"{float(np.mean(weight == 0)):.0%}" if weight is not None and weight.size else "",
        "in your model": node.origin,
    }


def _width(name: str, value_range: ValueRange, values: npt.NDArray[np.int32] | None) -> str:
    derived = value_range.bits
    said, inner = f"{derived} bits", ""
    if values is not None and values.size:
        seen = _bits(int(values.min()), int(values.max()))
        said = f"{derived} bits, {seen} seen"
        inner = f'<i class="seen" style="width:{seen / 32:.2%}"></i>'
    return (
        f'<div class="row"><span class="name">{escape(name)}</span><span class="track">'
        f'<i class="pale" style="width:{derived / 32:.2%}"></i>{inner}</span>'
        f'<span class="amount">{said}</span></div>\n'
    )


def _card(network: Network, node: Node, values: npt.NDArray[np.int32] | None) -> str:
    layer = node.layer
    drawn = _FIGURES.get(layer.kind)
    figures = [] if drawn is None else [drawn(layer, network.ranges[node.inputs[0]])]
    if values is not None and values.size:
        figures.append(_values(values, network.ranges[node.name]))
    if not figures:
        return ""
    return (
        f'<details class="layer" open><summary>{escape(node.name)} <span>{escape(layer.summary() or layer.kind)}</span>'
        f'</summary><div class="figures">{"".join(figures)}</div></details>\n'
    )


def _weights(weight: npt.NDArray[np.int32], bits: int) -> str:
    low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    counts = np.bincount(weight.ravel() - low, minlength=high - low + 1)
    zeros = float(np.mean(weight == 0)) if weight.size else 0.0
    note = (
        f"{weight.shape[0]:,} × {weight.shape[1]:,} weights of {bits} bit{'s' if bits > 1 else ''}, {zeros:.0%} are 0"
    )
    svg = histogram("Weights", (low, high), [int(count) for count in counts], "weight", "how many")
    return figure("Weights", svg, note)


def _values(values: npt.NDArray[np.int32], value_range: ValueRange) -> str:
    low, high = value_range.bounds
    bins = min(high - low + 1, _BINS)
    places = (values.astype(np.int64).ravel() - low) * bins // (high - low + 1)
    counts = np.bincount(np.clip(places, 0, bins - 1), minlength=bins)
    svg = histogram(
        "Values seen", (low, high), [int(count) for count in counts], "value, over the derived range", "how many"
    )
    return figure(
        "Values",
        svg,
        f"{text(int(values.min()))} … {text(int(values.max()))} seen; {text(low)} … {text(high)} can occur",
    )


def _thresholds(values: npt.NDArray[np.int32], accumulators: ValueRange) -> str:
    channels, levels = values.shape
    middle = np.argsort(values[:, levels // 2], kind="stable")
    picked = middle[np.unique(np.linspace(0, channels - 1, min(channels, _MOST_CHANNELS)).astype(int))]
    columns = np.unique(np.linspace(0, levels - 1, min(levels, _MOST_LEVELS)).astype(int))
    rows = [
        (float(accumulators.low[c]), float(accumulators.high[c]), [float(t) for t in values[c, columns]])
        for c in picked
    ]
    unreached = int(np.sum((values > accumulators.high[:, None]) | (values <= accumulators.low[:, None])))
    note = f"{levels} for each of {channels:,} channels, sorted; lines show what the accumulator can be"
    if len(picked) < channels or len(columns) < levels:
        note += f"; {len(picked)} channels and {len(columns)} levels drawn"
    if unreached:
        note += f"; {unreached:,} are never crossed"
    return figure("Thresholds", thresholds("Thresholds", rows, "accumulator", "channel"), note)


def _factors(layer: Requantize) -> str:
    factors = layer.multiplier.astype(np.float64) * np.exp2(layer.shift.astype(np.float64) - 31)
    said = {
        "rounding": layer.rounding,
        "factors": f"{factors.min():.4g} … {factors.max():.4g}",
        "scales": "one per channel" if layer.per_channel else "one for all channels",
        "zero point": layer.zero_point,
        "clipped to": f"{layer.low} … {layer.high}",
    }
    return f"<figure><figcaption>Requantization</figcaption>{pairs(said)}</figure>\n"


def _table(layer: Lookup) -> str:
    xs = [int(x) for x in layer.base + np.arange(layer.table.size)]
    series = [{"name": "table", "x": xs, "y": [int(y) for y in layer.table]}]
    curve = {"title": "Table", "x_label": "input", "y_label": "output", "kind": "line", "series": series}
    return figure("Table", chart(curve))


_FIGURES: Mapping[str, Callable[[Any, ValueRange], str]] = {
    Dense.kind: lambda layer, _: _weights(layer.weight, layer.weight_bits),
    "leaky_neurons": lambda layer, _: _weights(layer.weight, layer.weight_bits),
    Threshold.kind: lambda layer, accumulators: _thresholds(layer.thresholds, accumulators),
    "neurons": lambda layer, accumulators: _thresholds(layer.thresholds, accumulators),
    Lookup.kind: lambda layer, _: _table(layer),
    Requantize.kind: lambda layer, _: _factors(layer),
}
"""By kind of layer: its figure, of the layer and the range of its first input."""
