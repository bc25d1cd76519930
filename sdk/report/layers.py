"""Layer by layer: weights, thresholds, the values that can occur and those that did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..network import Dense, Lookup, Network, Node, Requantize, Threshold, trace
from ..network.value_range import ValueRange
from .blocks import Block, Details, Figure, Group, Note, Pairs, Section, Table
from .chart import Histogram, Thresholds, chart
from .graph import graph
from .text import text

__all__ = ["Width", "Widths", "layers_section", "seen_values"]

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


def layers_section(network: Network, seen: Mapping[str, npt.NDArray[np.int32]]) -> Section:
    """The table of all layers, the widths as bars of 32 bits, and a card for each layer with its figures."""
    rows = [_row(network, node, seen.get(node.name)) for node in network.nodes]
    columns = [column for column in rows[0] if any(row[column] != "" for row in rows)]
    nodes = network.nodes[:MOST_LAYERS]
    widths = [_width(node.name, network.ranges[node.name], seen.get(node.name)) for node in nodes]
    cards = [_card(network, node, seen.get(node.name)) for node in nodes]
    more = len(network.nodes) - len(nodes)
    note = Note(f"{more:,} more layers are in the table only." if more > 0 else "", soft=True)
    vectors = len(next(iter(seen.values()))) if seen else 0
    lead = "Ranges are derived from the weights: no value outside them can occur, whatever the input. " + (
        f"Seen: in {vectors:,} test vectors." if vectors else ""
    )
    blocks = [graph(network), Table(columns, rows, "Layers"), Widths(widths), *cards, note]
    return Section("Layer by layer", blocks, lead)


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


@dataclass(frozen=True)
class Width:
    """The bits of a layer's values: those derived from the weights, and those seen (None: nothing was run)."""

    layer: str
    derived: int
    seen: int | None


@dataclass(frozen=True)
class Widths(Block):
    """Bars of 32 bits, dark where bits were seen."""

    template = "widths.html"
    rows: Sequence[Width]


def _width(name: str, value_range: ValueRange, values: npt.NDArray[np.int32] | None) -> Width:
    seen = None if values is None or not values.size else _bits(int(values.min()), int(values.max()))
    return Width(name, value_range.bits, seen)


def _card(network: Network, node: Node, values: npt.NDArray[np.int32] | None) -> Details:
    layer = node.layer
    drawn = _FIGURES.get(layer.kind)
    figures = [] if drawn is None else [drawn(layer, network.ranges[node.inputs[0]])]
    if values is not None and values.size:
        figures.append(_values(values, network.ranges[node.name]))
    return Details(node.name, [Group("figures", figures)], layer.summary() or layer.kind, "layer", is_open=True)


def _weights(weight: npt.NDArray[np.int32], bits: int) -> Figure:
    low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    counts = np.bincount(weight.ravel() - low, minlength=high - low + 1)
    zeros = float(np.mean(weight == 0)) if weight.size else 0.0
    note = (
        f"{weight.shape[0]:,} × {weight.shape[1]:,} weights of {bits} bit{'s' if bits > 1 else ''}, {zeros:.0%} are 0"
    )
    return Figure("Weights", Histogram.of("Weights", (low, high), counts.tolist(), "weight", "how many"), note)


def _values(values: npt.NDArray[np.int32], value_range: ValueRange) -> Figure:
    low, high = value_range.bounds
    bins = min(high - low + 1, _BINS)
    places = (values.astype(np.int64).ravel() - low) * bins // (high - low + 1)
    counts = np.bincount(np.clip(places, 0, bins - 1), minlength=bins)
    note = f"{text(int(values.min()))} … {text(int(values.max()))} seen; {text(low)} … {text(high)} can occur"
    label = "value, over the derived range"
    return Figure("Values", Histogram.of("Values seen", (low, high), counts.tolist(), label, "how many"), note)


def _thresholds(values: npt.NDArray[np.int32], accumulators: ValueRange) -> Figure:
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
    return Figure("Thresholds", Thresholds.of("Thresholds", rows, "accumulator", "channel"), note)


def _factors(layer: Requantize) -> Figure:
    factors = layer.multiplier.astype(np.float64) * np.exp2(layer.shift.astype(np.float64) - 31)
    said = {
        "rounding": layer.rounding,
        "factors": f"{factors.min():.4g} … {factors.max():.4g}",
        "scales": "one per channel" if layer.per_channel else "one for all channels",
        "zero point": layer.zero_point,
        "clipped to": f"{layer.low} … {layer.high}",
    }
    return Figure("Requantization", Pairs(said))


def _table(layer: Lookup) -> Figure:
    xs = [int(x) for x in layer.base + np.arange(layer.table.size)]
    series = [{"name": "table", "x": xs, "y": [int(y) for y in layer.table]}]
    curve = {"title": "Table", "x_label": "input", "y_label": "output", "kind": "line", "series": series}
    return Figure("Table", chart(curve))


_FIGURES: Mapping[str, Callable[[Any, ValueRange], Figure]] = {
    Dense.kind: lambda layer, _: _weights(layer.weight, layer.weight_bits),
    "leaky_neurons": lambda layer, _: _weights(layer.weight, layer.weight_bits),
    Threshold.kind: lambda layer, accumulators: _thresholds(layer.thresholds, accumulators),
    "neurons": lambda layer, accumulators: _thresholds(layer.thresholds, accumulators),
    Lookup.kind: lambda layer, _: _table(layer),
    Requantize.kind: lambda layer, _: _factors(layer),
}
"""By kind of layer: its figure, of the layer and the range of its first input."""
