"""How well one output tells two classes apart at every threshold: the receiver operating characteristic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["area", "curve", "roc_chart"]

_MOST_POINTS = 200


def curve(
    scores: npt.NDArray[Any], y: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(false, true) positive rates from (0, 0) to (1, 1), a point for each different score as the threshold.

    scores [samples]: larger speaks for class 1; y [samples] is 0 or 1, both of which occur.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    positives = np.cumsum(y[order] == 1)[ends]
    negatives = ends + 1 - positives
    false, true = negatives / negatives[-1], positives / positives[-1]
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def area(false: npt.NDArray[np.float64], true: npt.NDArray[np.float64]) -> float:
    """Below the curve: the share of pairs of a sample of each class that scores put in order, equals by half."""
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))


def roc_chart(scores: Mapping[str, npt.NDArray[Any]], y: npt.NDArray[np.int64]) -> dict[str, Any] | None:
    """A chart (`chart.chart`) of the curves of `scores` by name; None where y holds one class alone."""
    if len(np.unique(y)) < 2:
        return None
    series, areas = [], []
    for name, each in scores.items():
        false, true = curve(each, y)
        kept = np.unique(np.linspace(0, len(false) - 1, min(len(false), _MOST_POINTS)).round().astype(int))
        areas.append(f"{area(false, true):.4f} {name}")
        x_values, y_values = ([round(float(value), 5) for value in values[kept]] for values in (false, true))
        series.append({"name": name, "x": x_values, "y": y_values})
    return {
        "kind": "line",
        "title": f"True over false alarms at every threshold; area {', '.join(areas)}",
        "x_label": "share of class 0 taken for class 1",
        "y_label": "share of class 1 found",
        "series": series,
    }
