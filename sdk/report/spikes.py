"""The spiking form: what is fired, what it costs, and answers over time."""

from __future__ import annotations

from typing import Any

from ..metrics import SpikeCosts, SpikingMetrics
from .any_value import any_value
from .blocks import Bars, Block, Figure, Group, Note, Section, Table
from .chart import chart
from .text import text

__all__ = ["charts_section", "spiking_section"]

MOST_CHARTS = 24


def charts_section(charts: Any) -> Section:
    """Every chart that the converter or the target kept: rasters, membranes, accuracy over time steps."""
    found = charts if isinstance(charts, list) else []
    more = len(found) - MOST_CHARTS
    note = Note(f"{more:,} more charts are in bundle.json." if more > 0 else "", soft=True)
    return Section(
        "Over time", [Group("figures", [Figure(data["title"], chart(data)) for data in found[:MOST_CHARTS]]), note]
    )


def spiking_section(found: SpikingMetrics) -> Section:
    """Spikes, synaptic operations and estimated energy by layer, beside the quantized form's."""
    further = {key: item for key, item in found.further.items() if item not in ({}, [], None)}
    if found.measures is None:
        return Section("Spikes", any_value(found.further))
    energies = [("spikes", found.measures.total.energy_pj)]
    if found.quantized is not None:
        energies.append(("quantized", found.quantized.total.energy_pj))
    blocks: list[Block] = []
    if rows := [(name, float(energy), f"{energy / 1000:.4g} nJ") for name, energy in energies if energy is not None]:
        blocks.append(Bars(rows, "energy of an inference, estimated"))
    layers = found.measures.layers
    fired = [(name, float(costs.spikes)) for name, costs in layers.items() if costs.spikes is not None]
    blocks.append(Bars([(name, count, text(count)) for name, count in fired], "spikes of a sample"))
    blocks.append(Table(_COLUMNS, [_row(name, costs) for name, costs in layers.items()], "Cost of the spikes by layer"))
    lead = "Means over samples. Energy is counted operations times a published table, not a measurement."
    return Section("Spikes", [*blocks, *any_value(further)], lead)


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
