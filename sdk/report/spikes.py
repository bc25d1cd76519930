"""The spiking form: what is fired, what it costs, and answers over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metrics.json_values import number
from .chart import chart, figure
from .markup import bars, section, table, text, value

__all__ = ["charts_section", "spiking_section"]

MOST_CHARTS = 24


def charts_section(charts: Any) -> str:
    """Every chart that the converter or the target kept: rasters, membranes, accuracy over time steps."""
    if not isinstance(charts, list):
        return ""
    figures = "".join(figure(str(data["title"]), chart(data)) for data in charts[:MOST_CHARTS])
    more = len(charts) - MOST_CHARTS
    note = f'<p class="soft">{more:,} more charts are in bundle.json.</p>' if more > 0 else ""
    return section("Over time", f'<div class="figures">{figures}</div>{note}' if figures else "")


def spiking_section(found: Any) -> str:
    """Spikes, synaptic operations and estimated energy by layer, beside the quantized form's."""
    if not isinstance(found, Mapping):
        return ""
    measures, before = found.get("measures"), found.get("quantized_measures")
    if not isinstance(measures, Mapping):
        return section("Spikes", value(found))
    parts = []
    energies = [
        (name, number(_total(costs).get("energy_pj"))) for name, costs in (("spikes", measures), ("quantized", before))
    ]
    rows = [(name, energy, f"{energy / 1000:.4g} nJ") for name, energy in energies if energy is not None]
    if rows:
        parts.append(bars(rows, "energy of an inference, estimated"))
    layers = measures.get("layers")
    if isinstance(layers, Mapping):
        costs = {str(name): item for name, item in layers.items() if isinstance(item, Mapping)}
        fired = [(name, number(item.get("spikes"))) for name, item in costs.items()]
        parts.append(
            bars(
                [(name, count, text(float(count))) for name, count in fired if count is not None], "spikes of a sample"
            )
        )
        parts.append(table(_COLUMNS, [_row(name, item) for name, item in costs.items()], "Cost of the spikes by layer"))
    rest = {
        key: item
        for key, item in found.items()
        if key not in ("measures", "quantized_measures") and item not in ({}, [], None)
    }
    lead = "Means over samples. Energy is counted operations times a published table, not a measurement."
    return section("Spikes", "".join(parts) + (value(rest) if rest else ""), lead)


_COLUMNS = ("layer", "spikes", "silent", "accumulates", "multiply-accumulates", "dense would take", "bytes moved", "nJ")


def _total(costs: Any) -> Mapping[str, Any]:
    total = costs.get("total") if isinstance(costs, Mapping) else None
    return total if isinstance(total, Mapping) else {}


def _row(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    operations = item.get("synaptic_operations")
    operations = operations if isinstance(operations, Mapping) else {}
    sparsity, energy = number(item.get("activation_sparsity")), number(item.get("energy_pj"))
    return {
        "layer": name,
        "spikes": item.get("spikes", ""),
        "silent": "" if sparsity is None else f"{sparsity:.0%}",
        "accumulates": operations.get("accumulates", ""),
        "multiply-accumulates": operations.get("multiply_accumulates", ""),
        "dense would take": operations.get("dense", ""),
        "bytes moved": item.get("bytes_moved", ""),
        "nJ": "" if energy is None else energy / 1000,
    }
