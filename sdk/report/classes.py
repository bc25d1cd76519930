"""Right and wrong answers: the confusion matrix and the recall of each class, on the held-back samples."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from ..judging.scores import answers_of
from ..metrics import Confusion, JudgedOn
from ..network import Network
from ..network.task import BINARY, VALUES
from .markup import bars, section, text

__all__ = ["MOST_CLASSES", "confusion", "confusion_section"]

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


def confusion_section(found: Confusion | None, labels: Sequence[str], judged_on: JudgedOn) -> str:
    """The matrix (few classes) and recall by class; of many classes those with the worst recall."""
    if found is None:
        return ""
    samples, right = found.samples, found.right
    names = [str(label) for label in labels] if len(labels) == len(samples) else [str(n) for n in range(len(samples))]
    seen = [index for index, count in enumerate(samples) if count]
    if not seen:
        return ""
    recalls = [right[index] / samples[index] for index in seen]
    worst = sorted(seen, key=lambda index: (right[index] / samples[index], index))[:_MOST_SHOWN]
    shown = seen if len(seen) <= _MOST_SHOWN else worst
    rows = [
        (names[index], right[index] / samples[index], f"{right[index] / samples[index]:.1%} of {samples[index]:,}")
        for index in shown
    ]
    title = "Recall of each class" if len(shown) == len(seen) else f"Recall of the {len(shown)} worst classes"
    body = bars(rows, title, full=1.0)
    if found.counts is not None and len(names) <= _MOST_SHOWN:
        body = _matrix(found.counts, names) + body
    what = "samples" if judged_on.all_samples else "held-back samples"
    lead = f"{sum(right):,} of {sum(samples):,} {what} right; macro recall {sum(recalls) / len(recalls):.2%}."
    if len(seen) < len(samples):
        lead += f" {len(samples) - len(seen)} classes have no sample here."
    return section("Right and wrong answers", f'<div class="columns">{body}</div>', lead)


def _matrix(counts: Sequence[Sequence[int]], names: list[str]) -> str:
    head = "".join(f'<th scope="col">{_short(name)}</th>' for name in names)
    rows = []
    for index, row in enumerate(counts):
        whole = sum(row) or 1
        cells = "".join(
            f'<td class="{"right" if place == index else "wrong"}" style="--share:{count / whole:.3f}"'
            f' title="{escape(names[index])} answered as {escape(names[place])}">{text(count) if count else "·"}</td>'
            for place, count in enumerate(row)
        )
        rows.append(f'<tr><th scope="row">{_short(names[index])}</th>{cells}</tr>\n')
    return (
        '<div><h3>Rows: the class; columns: the answer</h3><div class="wide" tabindex="0">'
        f'<table class="matrix" aria-label="Confusion matrix"><tr><td></td>{head}</tr>\n{"".join(rows)}</table>'
        "</div></div>"
    )


def _short(name: str) -> str:
    return escape(name if len(name) <= 14 else name[:13] + "…")
