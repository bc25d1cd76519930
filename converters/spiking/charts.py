"""Charts for the report: rasters of spikes, membranes, accuracy over time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, decisions, golden
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.recording import record
from edgeml.network.spiking.time_stepped import run

__all__ = ["accuracy_over_steps", "spike_charts", "steps_chart"]

_MOST_EVENTS = 4000
_MOST_CURVES = 5


def _raster(title: str, spikes: npt.NDArray[Any]) -> dict[str, Any]:
    """One sample's spikes [steps, neurons]."""
    times, neurons = np.nonzero(spikes)
    events = [[int(t), int(n)] for t, n in zip(times, neurons, strict=True)]
    return {
        "kind": "raster",
        "title": title,
        "x_label": "time step",
        "y_label": "neuron",
        "spikes": events[:_MOST_EVENTS],
        "steps": int(spikes.shape[0]),
        "neurons": int(spikes.shape[1]),
    }


def _membranes(title: str, membranes: npt.NDArray[Any]) -> dict[str, Any]:
    """One sample's membranes [steps, neurons]: the neurons that move most."""
    moving = np.argsort(-np.ptp(membranes, axis=0), kind="stable")[:_MOST_CURVES]
    steps = list(range(len(membranes)))
    series = [{"name": f"neuron {n}", "x": steps, "y": [int(v) for v in membranes[:, n]]} for n in sorted(moving)]
    return {"kind": "line", "title": title, "x_label": "time step", "y_label": "membrane", "series": series}


def spike_charts(network: Network, q: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """Rasters of every population and membranes of the last one, for the first sample of q [samples, inputs]."""
    charts: list[dict[str, Any]] = []
    if network.of_kind(LeakyNeurons):
        records = record(network, q[:1])
        charts += [_raster(f"Spikes of {name}, one sample", kept.spikes[:, 0]) for name, kept in records.items()]
        last = list(records)[-1]
        charts.append(_membranes(f"Membranes of {last}, one sample", records[last].membrane[:, 0]))
        return charts
    spiking = run(network, q[:1])
    charts += [_raster(f"Spikes of {name}, one sample", train[:, 0]) for name, train in spiking.spikes.items()]
    if spiking.membranes:
        last = list(spiking.membranes)[-1]
        charts.append(_membranes(f"Membranes of {last} while it fires, one sample", spiking.membranes[last][:, 0]))
    return charts


def accuracy_over_steps(network: Network, q: npt.NDArray[Any], y: npt.NDArray[np.int64]) -> list[float]:
    """Share of right answers if the readout stopped after 1, 2, … steps; empty without a `SpikeReadout` at the end."""
    readout = network.nodes[-1].layer
    if not isinstance(readout, SpikeReadout):
        return []
    over_time = golden.trace(network, q)[network.nodes[-1].inputs[0]].reshape(len(q), readout.steps, readout.channels)
    read: npt.NDArray[Any]
    if readout.reading == "sum":
        read = np.cumsum(over_time.astype(np.int64), axis=1)
    elif readout.reading == "maximum":
        read = np.maximum.accumulate(over_time, axis=1)
    else:
        read = over_time
    return [float(np.mean(decisions(network, read[:, step]) == y)) for step in range(readout.steps)]


def steps_chart(curves: Mapping[str, Sequence[float]], steps: Sequence[int]) -> dict[str, Any]:
    """Accuracy (or agreement) over time steps, one curve per name."""
    series = [{"name": name, "x": list(steps), "y": list(values)} for name, values in curves.items()]
    return {
        "kind": "line",
        "title": "Over time steps",
        "x_label": "time steps",
        "y_label": "share of samples",
        "series": series,
    }
