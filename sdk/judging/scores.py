"""How good answers are: accuracy of classes, errors of values, the same way for every form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..metrics import Answers
from ..metrics.answers import QUALITIES
from ..network import Network, decisions, simulate
from ..network.task import VALUES

if TYPE_CHECKING:
    from ..frontends.mlp import Mlp

__all__ = ["QUALITIES", "answers_of", "judged", "said", "scores"]

_TITLES = {"r2": "R²", "mae": "MAE", "mse": "MSE"}
_BATCH = 1024


def answers_of(model: Mlp | Network, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What a float model or an integer network answers for x [samples, features]: classes, int64 [samples]; of a
    model of values float64 [samples, outputs]."""
    parts: list[npt.NDArray[Any]] = []
    for start in range(0, len(x), _BATCH):
        part = x[start : start + _BATCH]
        if isinstance(model, Network):
            y = simulate(model, model.quantizer.quantize(part))
            parts.append(model.output.real(y) if model.task == VALUES else decisions(model, y))
        else:
            outputs = model.evaluate(part)
            parts.append(outputs if model.task == VALUES else model.decisions(outputs))
    return np.concatenate(parts)


def scores(task: str, y: npt.NDArray[Any], found: Mapping[str, npt.NDArray[Any]]) -> dict[str, dict[str, float]]:
    """Each of `found` (answers by name, see `answers_of`) held against y.

    Classes: {"accuracy": {name: share of y answered right}}. Values: "mse" and "mae", the mean of the squared and of
    the absolute differences over samples and outputs, and "r2" = 1 − mse / variance of y, the mean over outputs; of a
    constant output 1 where it is met and else 0.
    """
    if task != VALUES:
        return {"accuracy": {name: float(np.mean(each == y)) for name, each in found.items()}}
    result: dict[str, dict[str, float]] = {"mse": {}, "mae": {}, "r2": {}}
    spread = np.mean((y - y.mean(axis=0)) ** 2, axis=0)
    for name, each in found.items():
        squared = np.mean((each - y) ** 2, axis=0)
        share = np.where(spread > 0, 1 - squared / np.where(spread > 0, spread, 1), squared == 0)
        result["mse"][name] = float(squared.mean())
        result["mae"][name] = float(np.abs(each - y).mean())
        result["r2"][name] = float(share.mean())
    return result


def judged(mlp: Mlp, network: Network, x: npt.NDArray[Any], y: npt.NDArray[Any] | None) -> dict[str, Any]:
    """`scores` of the float model and the integer network on x, where there is y; for classes also "agreement", the
    share of samples that both answer alike."""
    found = {"float": answers_of(mlp, x), "integer": answers_of(network, x)}
    metrics: dict[str, Any] = {}
    if network.task != VALUES:
        metrics["agreement"] = float(np.mean(found["float"] == found["integer"]))
    if y is not None:
        metrics |= scores(network.task, y, found)
    return metrics


def said(answers: Answers) -> list[tuple[str, str]]:
    """The qualities in a bundle's metrics as (name, text for people), each with what it was found on."""
    lines = []
    for name in QUALITIES:
        if found := answers.qualities[name]:
            form = ".2%" if name == "accuracy" else ".4g"
            shares = "   ".join(f"{key} {value:{form}}" for key, value in found.items())
            lines.append((_TITLES.get(name, name), f"{shares}   on {answers.judged_on}"))
    return lines
