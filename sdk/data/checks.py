"""Does the data fit the model? Sentences for the user where samples, classes or scales look wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..frontends.mlp import Mlp
from ..judging.scores import answers_of, scores
from ..network import Network
from ..network.task import BINARY, VALUES
from .dataset import Dataset

__all__ = ["WARNING", "data_notes"]

WARNING = "WARNING: "
"""How a note begins that must not be overlooked."""

_MOST_SAMPLES = 4096
_FEWEST_SAMPLES = 8
_MOST_NAMED = 8
_CONSTANT = 0.99
_CLIPPED = 0.25


def data_notes(model: Mlp | Network, data: Dataset | None) -> list[str]:
    """Sentences on how `model` and its `data` fit, the most serious first; none without data.

    Said are: answers no better than chance; answers that are all alike, and layers whose activations are all dead or
    saturated (x is on another scale than in training); classes without a sample; which samples are held back.
    """
    if data is None:
        return []
    notes = []
    x, y = data.x_test[:_MOST_SAMPLES], None if data.y_test is None else data.y_test[:_MOST_SAMPLES]
    found = answers_of(model, x)
    if y is not None and (note := _chance(model.task, _class_count(model), found, y)):
        notes.append(note)
    notes += _constant(model, found, y)
    if note := _stuck_layers(model, x) if isinstance(model, Mlp) else _clipped(model, x):
        notes.append(note)
    if y is not None and model.task != VALUES:
        notes += _missing_classes(data, _class_count(model))
    if data.split not in ("given", "all") and data.y_test is not None:
        notes.append(_split_said(data))
    return notes


def _class_count(model: Mlp | Network) -> int:
    return 2 if model.task == BINARY else model.output_size


def _chance(task: str, classes: int, found: npt.NDArray[Any], y: npt.NDArray[Any]) -> str:
    """A warning where the answers are worth no more than a guess."""
    hint = (
        "Check that y is coded in the order of the outputs, and that x is on the scale that the model was trained on."
    )
    if task == VALUES:
        share = scores(task, y, {"model": found})["r2"]["model"]
        if share > 0 or len(y) < 2:
            return ""
        return WARNING + f"on this data the model is no better than the mean of y (R² {share:.3g}). {hint}"
    present = np.unique(y)
    counts = np.array([np.sum(y == each) for each in present])
    chance = 1 / len(present) if len(present) > 1 else 1 / classes
    recall = float(np.mean([np.mean(found[y == each] == each) for each in present]))
    # A guess's mean recall strays by so much; only what lies above is better than chance for so few samples.
    error = float(np.sqrt(np.sum(chance * (1 - chance) / counts))) / len(present)
    if recall > min(chance + 2 * error, (1 + chance) / 2):
        return ""
    right = float(np.mean(found == y))
    return (
        WARNING
        + f"on this data the model is no better than chance: {right:.2%} of {len(y)} samples right, mean recall "
        f"of the classes {recall:.2%}, a guess {chance:.2%}. {hint}"
    )


def _constant(model: Mlp | Network, found: npt.NDArray[Any], y: npt.NDArray[Any] | None) -> list[str]:
    if len(found) < _FEWEST_SAMPLES:
        return []
    end = "Is x on the scale that the model was trained on (mean, range, units)?"
    if model.task == VALUES:
        same = bool(np.all(found == found[0]))
        return [WARNING + f"the model gives the same values for all {len(found)} samples. {end}"] if same else []
    answers, counts = np.unique(found, return_counts=True)
    share = counts.max() / len(found)
    expected = 0.0 if y is None else float(np.mean(y == answers[counts.argmax()]))
    if share < 1.0 and (y is None or share < _CONSTANT or expected > 0.9):
        return []
    if y is not None and len(np.unique(y)) == 1:
        return []
    name = _named([int(answers[counts.argmax()])], model.output.labels if isinstance(model, Network) else model.labels)
    return [WARNING + f"the model answers {name} for {share:.1%} of {len(found)} samples. {end}"]


def _stuck_layers(mlp: Mlp, x: npt.NDArray[Any]) -> str:
    """The first layer whose activations do not move: each channel dead, or saturated on one side, for all samples."""
    if len(x) < _FEWEST_SAMPLES:
        return ""
    values = mlp.trace(x)
    for node in mlp.nodes[:-1]:
        ends, y = node.operator.saturated_beyond, values[node.name]
        if ends is None:
            continue
        low, high = np.all(y <= ends[0], axis=0), np.all(y >= ends[1], axis=0)
        if np.all(low | high):
            return (
                WARNING + f"all activations of layer {node.origin or node.name} are dead or saturated for all {len(x)} "
                "samples: x seems to lie in another range than the model was trained on."
            )
    return ""


def _clipped(network: Network, x: npt.NDArray[Any]) -> str:
    """Whether much of x lies outside what the input quantizer takes."""
    quantizer = network.quantizer
    q = (x - quantizer.offset) / quantizer.scale + quantizer.zero_point
    share = float(np.mean((q < quantizer.low - 1) | (q > quantizer.high + 1)))
    if share < _CLIPPED:
        return ""
    return (
        WARNING + f"{share:.1%} of the numbers in x lie outside the range of the network's input and were clipped: x "
        "seems to be on another scale than the network was made for."
    )


def _missing_classes(data: Dataset, classes: int) -> list[str]:
    notes = []
    test = data.y_test if data.y_test is not None else np.zeros(0, np.int64)
    every = np.arange(classes)
    absent = np.setdiff1d(every, test)
    if data.split == "all":
        sides = [("among the samples", absent)]
    else:
        sides = [("among the held back samples, so that nothing is known of it", absent)]
        if data.y is not None:
            sides.append(("among those to train and calibrate with", np.setdiff1d(every, data.y)))
    for where, gone in sides:
        if len(gone):
            notes.append(WARNING + f"no sample of class {_named(gone.tolist(), data.labels)} is {where}.")
    return notes


def _split_said(data: Dataset) -> str:
    held, samples = len(data.x_test), len(data.x) + len(data.x_test)
    how = {
        "stratified": "a fifth of each class, the same ones each time",
        "random": "a random fifth, the same one each time",
        "tail": "the last fifth",
    }[data.split]
    more = "" if data.split == "tail" else "; for samples over time, --split tail holds back the last fifth"
    return f"{held} of {samples} samples were held back to judge on: {how}{more}."


def _named(classes: Sequence[int], labels: Sequence[str]) -> str:
    names = [f"{each} ({labels[each]})" if each < len(labels) else str(each) for each in classes[:_MOST_NAMED]]
    return ", ".join(names) + (f" and {len(classes) - _MOST_NAMED} more" if len(classes) > _MOST_NAMED else "")
