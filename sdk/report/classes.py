"""Right and wrong answers: the confusion matrix and the recall of each class, on the held-back samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..judging.scores import answers_of
from ..metrics import Confusion, JudgedOn
from ..network import Network
from ..network.task import BINARY, VALUES
from .blocks import Bars, Block, Group, Section
from .text import text

__all__ = ["MOST_CLASSES", "Matrix", "confusion", "confusion_section"]

MOST_CLASSES = 64
"""Classes up to which the matrix is kept; of more, each class's samples and right answers."""
_MOST_SHOWN = 24
_MOST_COUNTED = 4096


def confusion(network: Network, x: npt.NDArray[Any], y: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How the integer network answers the samples x [samples, features] of classes y [samples].

    Gives {"samples": [classes], "right": [classes]} and, of up to `MOST_CLASSES` classes, "counts" [class][answer].
    Empty where the network does not tell classes apart: it gives values, or y holds a class that it does not know.
    """
    classes = 2 if network.task == BINARY else network.output_size
    fits = network.task != VALUES and classes <= _MOST_COUNTED and y.ndim == 1 and len(y)
    if not fits or not set(range(classes)) >= set(np.unique(y)) or network.input_size != x.shape[1]:
        return {}
    answers = answers_of(network, x)
    samples = np.bincount(y, minlength=classes)
    right = np.bincount(y[answers == y], minlength=classes)
    found: dict[str, Any] = {"samples": samples.tolist(), "right": right.tolist()}
    if classes <= MOST_CLASSES:
        found["counts"] = np.bincount(y * classes + answers, minlength=classes**2).reshape(classes, classes).tolist()
    return found


def confusion_section(found: Confusion | None, labels: Sequence[str], judged_on: JudgedOn) -> Section:
    """The matrix (few classes) and recall by class; of many classes those with the worst recall."""
    title = "Right and wrong answers"
    if found is None or not any(found.samples):
        return Section(title, ())
    samples, right = found.samples, found.right
    names = [str(label) for label in labels] if len(labels) == len(samples) else [str(n) for n in range(len(samples))]
    seen = [index for index, count in enumerate(samples) if count]
    recalls = [right[index] / samples[index] for index in seen]
    worst = sorted(seen, key=lambda index: (right[index] / samples[index], index))[:_MOST_SHOWN]
    shown = seen if len(seen) <= _MOST_SHOWN else worst
    rows = [
        (names[index], right[index] / samples[index], f"{right[index] / samples[index]:.1%} of {samples[index]:,}")
        for index in shown
    ]
    label = "Recall of each class" if len(shown) == len(seen) else f"Recall of the {len(shown)} worst classes"
    blocks: list[Block] = [Bars(rows, label, full=1.0)]
    if found.counts is not None and len(names) <= _MOST_SHOWN:
        blocks.insert(0, Matrix(found.counts, names))
    what = "samples" if judged_on.all_samples else "held-back samples"
    lead = f"{sum(right):,} of {sum(samples):,} {what} right; macro recall {sum(recalls) / len(recalls):.2%}."
    if len(seen) < len(samples):
        lead += f" {len(samples) - len(seen)} classes have no sample here."
    return Section(title, [Group("columns", blocks)], lead)


@dataclass(frozen=True)
class Matrix(Block):
    """The confusion matrix: counts [class][answer], and the names of the classes."""

    template = "matrix.html"
    counts: Sequence[Sequence[int]]
    names: Sequence[str]

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, float, str]]]]:
        """Of each class: its name, and (answer, its share of the class, how many) of each answer."""
        return [
            (name, [(answer, count / (sum(row) or 1), text(count) if count else "·") for answer, count in cells])
            for name, row in zip(self.names, self.counts, strict=True)
            for cells in [zip(self.names, row, strict=True)]
        ]
