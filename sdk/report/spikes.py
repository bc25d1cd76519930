"""The spiking form: what is fired, what it costs, and answers over time."""

from __future__ import annotations

from typing import Any

from ..metrics import SpikeCosts, SpikingMetrics
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


def spiking_section(found: SpikingMetrics) -> str:
    """Spikes, synaptic operations and estimated energy by layer, beside the quantized form's."""
    further = {key: item for key, item in found.further.items() if item not in ({}, [], None)}
    if found.measures is None:
        return section("Spikes", value(found.further) if found.further else "")
    energies = [("spikes", found.measures.total.energy_pj)]
    if found.quantized is not None:
        energies.append(("quantized", found.quantized.total.energy_pj))
    parts = []
    if rows := [(name, float(energy), f"{energy / 1000:.4g} nJ") for name, energy in energies if energy is not None]:
        parts.append(bars(rows, "energy of an inference, estimated"))
    layers = found.measures.layers
    fired = [(name, float(costs.spikes)) for name, costs in layers.items() if costs.spikes is not None]
    parts.append(bars([(name, count, text(count)) for name, count in fired], "spikes of a sample"))
    parts.append(table(_COLUMNS, [_row(name, costs) for name, costs in layers.items()], "Cost of the spikes by layer"))
    lead = "Means over samples. Energy is counted operations times a published table, not a measurement."
    return section("Spikes", "".join(parts) + (value(further) if further else ""), lead)


_COLUMNS = ("layer", "spikes", "silent", "accumulates", "multiply-accumulates", "dense would take", "bytes moved", "nJ")


def _row(name: str, costs: SpikeCosts) -> dict[str, Any]:
    row = {
        "layer": name,
        "spikes": costs.spikes,
        "silent": None if costs.sparsity is None else f"{costs.sparsity:.0%}",
        "accumulates": costs.accumulates,
        "multiply-accumulates": costs.multiply_accumulates,
        "dense would take": costs.dense,
        "bytes moved": costs.bytes_moved,
        "nJ": None if costs.energy_pj is None else costs.energy_pj / 1000,
    }
    return {key: "" if item is None else item for key, item in row.items()}
