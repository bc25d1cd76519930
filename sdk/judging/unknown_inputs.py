"""What a monitor is worth: false alarms on inputs of the known kind, and how it tells broken inputs from them.

Two kinds of broken input are made of samples that set no threshold: all features in another order (one order for all
samples), and the first half of the features missing (the real value 0, as of a sensor that is off).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset
from ..network import Network
from ..network.monitor import Monitored
from ..network.monitoring import monitored
from ..report.roc import area, curve
from .monitor_fit import for_figures, for_thresholds

__all__ = ["area_under_roc", "broken_inputs", "figures", "signals"]

_SEED = 0
_MOST_SAMPLES = 10_000
TOGETHER = "together"


def area_under_roc(known: npt.NDArray[Any], unknown: npt.NDArray[Any]) -> float:
    """How well scores [samples], larger ones for unknown inputs, tell the two apart (`roc.area`)."""
    y = np.repeat(np.array([0, 1], np.int64), [len(known), len(unknown)])
    return area(*curve(np.concatenate([known, unknown]), y))


def signals(network: Network, seen: Monitored, usual: Monitored) -> dict[str, npt.NDArray[np.float64]]:
    """Scores [samples] that grow as inputs look less known, by name: each of the monitor's integers, and `together`.

    The last is the largest of them in units in which 0 is the median of `usual` and 1 the threshold: it passes 1 where
    one of them passes its threshold.
    """
    monitor = network.monitor
    assert monitor is not None
    limits = {"margin": -monitor.margin, "input distance": monitor.input.limit}
    if monitor.hidden is not None:
        limits["hidden distance"] = monitor.hidden.limit
    scores: dict[str, npt.NDArray[np.float64]] = {}
    scaled = []
    for name, limit in limits.items():
        sign = -1 if name == "margin" else 1
        scores[name] = sign * seen.columns[name][:, 0].astype(np.float64)
        middle = float(np.median(sign * usual.columns[name]))
        scaled.append((scores[name] - middle) / max(limit - middle, 1.0))
    return {TOGETHER: np.max(scaled, axis=0), **scores}


def broken_inputs(x: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """What is made of samples x [samples, inputs], by what is broken."""
    order = np.random.default_rng(_SEED).permutation(x.shape[1])
    missing = x.copy()
    missing[:, : x.shape[1] // 2] = 0
    return {"inputs in another order": x[:, order], "half of the inputs missing": missing}


def figures(network: Network, data: Dataset, more: Mapping[str, npt.NDArray[Any]] | None = None) -> dict[str, Any]:
    """The share of false alarms and, for each kind of broken input, the share that is found and the area under the ROC
    curve of each signal; JSON-able. more : further inputs [samples, inputs] that are not known, by name."""

    def seen(x: npt.NDArray[Any]) -> Monitored:
        return monitored(network, network.quantizer.quantize(x))

    x = for_figures(data.x_test)[:_MOST_SAMPLES]
    known, usual = seen(x), seen(for_thresholds(data.x_test)[:_MOST_SAMPLES])
    scores = signals(network, known, usual)
    rows = []
    for name, unknown in {**broken_inputs(x), **(more or {})}.items():
        found = seen(unknown)
        areas = {
            key: round(area_under_roc(scores[key], score), 4) for key, score in signals(network, found, usual).items()
        }
        rows.append({"input": name, "samples": len(unknown), "found": float((~found.known).mean()), "auroc": areas})
    alarms = {"samples": len(x), "false_alarms": float((~known.known).mean()), "thresholds_by": len(usual.known)}
    return {**alarms, "unknown": rows}
