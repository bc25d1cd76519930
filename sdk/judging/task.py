"""What a conversion is for: its task, as the user says or as model and y suggest; y and labels made to fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset, as_values
from ..errors import InputError
from ..frontends.mlp import Mlp
from ..frontends.snn import Snn
from ..network import Network, integer_threshold
from ..network.task import (
    BINARY,
    CLASSES,
    TASKS,
    VALUES,
    label_count,
)

__all__ = ["require_fitting", "settle", "stated", "tail_note"]

Source = Mlp | Snn | Network
_MOST_CLASSES = 10**6
_AS_BINARY = "{} (--task binary: as the logit of a decision between two classes)."


def stated(network: Network, mlp: Mlp) -> Network:
    """`network` with the task of the float model that it was made from, its threshold in integers, and its labels."""
    output = network.output
    threshold = None
    if mlp.task == BINARY:
        threshold = integer_threshold(mlp.threshold, float(output.scale[0]), output.zero_point)
    labels = mlp.labels or output.labels
    return replace(network, output=replace(output, task=mlp.task, threshold=threshold, labels=labels))


def tail_note(mlp: Mlp) -> tuple[str, ...]:
    """A sentence on what the integers leave off at the end of the model, where they do."""
    final = mlp.without_tail().final
    if not final or final == "argmax":
        return ()
    rule = "the decision is taken on the logit" if mlp.task == BINARY else "the largest output is the same"
    return (f"The model's final {final} was left off: {rule}, and the outputs are what stands before it.",)


def require_fitting(mlp: Mlp, data: Dataset | None) -> None:
    """InputError where y is not what the model's task takes; `settle` makes them fit."""
    for name in ("y", "y_test"):
        y = None if data is None else getattr(data, name)
        if y is None:
            continue
        if (y.ndim == 2) != (mlp.task == VALUES):
            kinds = ("values", "classes") if y.ndim == 2 else ("classes", "values")
            raise InputError(
                f"data, {name}", f"holds {kinds[0]}, and the model's task is {mlp.task}", "See task.settle"
            )
        _fitting(name, y, mlp.task, mlp.output_size)


def settle(
    source: Source, data: Dataset | None, asked: str | None, labels: Sequence[str] = ()
) -> tuple[Source, Dataset | None, list[str]]:
    """The model with its task and its labels, the data with y as this task takes it, and sentences for the user.

    Parameters
    ----------
    asked : classes, binary or values, as the user says; None derives it: what a network states; several outputs are
        classes unless y is values; one output is binary where y holds 0 and 1 alone, or the model ends in a sigmoid
        (without y); else values.
    labels : names of the classes; those of the data, then the model's, stand in for them.

    Raises
    ------
    InputError : the task, y or the labels do not fit the model, with what to do.
    """
    outputs = source.output_size
    y = None if data is None else data.y if data.y is not None else data.y_test
    notes: list[str] = []
    if asked is not None and asked not in TASKS:
        raise InputError("option task", f"{asked!r} is not one of {', '.join(TASKS)}")
    if data is not None and asked != VALUES and outputs > 1 and y is not None and _is_one_hot(y, outputs):
        data = replace(data, y=_one_hot_classes(data.y), y_test=_one_hot_classes(data.y_test))
        y = data.y if data.y is not None else data.y_test
        notes.append("y holds a one and zeros for each sample: taken as its class (--task values: as numbers).")
    task = asked or _derived(source, y, notes)
    own, of_data = _own_labels(source), data.labels if data is not None else ()
    if own and of_data and own != of_data and not labels:
        raise InputError(
            "labels", f"of the data are {list(of_data)}, of the model {list(own)}", "Say with --labels which are right"
        )
    names = tuple(labels) or of_data or own
    expected = label_count(task, outputs)
    if names and len(names) != expected:
        what = "names of class 0 and class 1" if task == BINARY else f"one for each of {outputs} outputs"
        raise InputError(
            "labels",
            f"are {len(names)} ({', '.join(map(repr, names[:8]))}{' …' if len(names) > 8 else ''}); task {task} with "
            f"{outputs} output{'s' * (outputs > 1)} takes {expected}",
            f"Give {expected}: {what}",
        )
    if data is not None:
        data = replace(
            data, y=_fitting("y", data.y, task, outputs), y_test=_fitting("y_test", data.y_test, task, outputs)
        )
        data = replace(data, labels=names)
    return _told(source, task, names), data, notes


def _own_labels(source: Mlp | Snn | Network) -> tuple[str, ...]:
    return source.output.labels if isinstance(source, Network) else source.labels


def _told(source: Source, task: str, labels: tuple[str, ...]) -> Source:
    if not isinstance(source, Network):
        if isinstance(source, Mlp) and task == VALUES and source.final:
            raise InputError(
                "option task", f"values of a model that ends in {source.final}: edgeml gives what stands before it"
            )
        return replace(source, task=task, labels=labels)
    output = source.output
    if output.task == task or (not output.task and source.task == task and task != BINARY):
        return source if output.labels == labels else replace(source, output=replace(output, labels=labels))
    return replace(source, output=replace(output, task=task, threshold=None, labels=labels))


def _derived(source: Mlp | Snn | Network, y: npt.NDArray[Any] | None, notes: list[str]) -> str:
    if isinstance(source, Network) and source.output.task:
        if source.output.task == VALUES and y is not None and y.ndim == 1 and set(np.unique(y).tolist()) == {0, 1}:
            notes.append(
                _AS_BINARY.format("y holds 0 and 1 alone, and the network's output was made a value to predict")
            )
        return source.output.task
    if y is None or not len(y):
        if source.output_size == 1 and source.task == VALUES:
            notes.append(_AS_BINARY.format("The model has one output and there is no y: taken as a value to predict"))
        return source.task
    if y.dtype.kind == "f":
        if source.output_size > 1 and y.shape[1] != source.output_size:
            raise InputError(
                "data, y",
                f"holds real numbers in {y.shape[1]} column{'s' * (y.shape[1] > 1)}; the model has "
                f"{source.output_size} outputs",
                "Give the class of each sample as an integer, or one value for each output",
            )
        if source.output_size > 1 and set(np.unique(y)) <= {0.0, 1.0}:
            raise InputError(
                "data, y",
                "holds zeros and ones for several outputs at once: edgeml has no such task",
                "Judge them as numbers with --task values, or convert a model for each",
            )
        return VALUES
    if source.output_size > 1:
        return CLASSES
    found = np.unique(y)
    if set(found.tolist()) <= {0, 1}:
        return BINARY
    if len(found) <= 2:
        raise InputError(
            "data, y",
            f"holds {' and '.join(str(each) for each in found)} for a model of one output: no classes of a binary task",
            "Code the classes as 0 and 1, or say --task values if these are values to predict",
        )
    notes.append(
        f"y holds {len(found)} different whole numbers and the model has one output: taken as values (--task values)."
    )
    return VALUES


def _is_one_hot(y: npt.NDArray[Any], outputs: int) -> bool:
    if y.ndim != 2 or y.shape[1] != outputs:
        return False
    return bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=1) == 1))


def _one_hot_classes(y: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
    return None if y is None else np.asarray(np.argmax(y, axis=1), np.int64)


def _fitting(name: str, y: npt.NDArray[Any] | None, task: str, outputs: int) -> npt.NDArray[Any] | None:
    """y as the task takes it; InputError where it cannot."""
    if y is None:
        return None
    where = f"data, {name}"
    if task == VALUES:
        values = as_values(y)
        if values.shape[1] != outputs:
            raise InputError(where, f"holds {values.shape[1]} values for each sample; the model gives {outputs}")
        return values
    if y.dtype.kind == "f":
        raise InputError(where, f"holds real numbers, not the classes that task {task} takes", "Use --task values")
    classes = 2 if task == BINARY else outputs
    low, high = int(y.min()), int(y.max())
    if low < 0 or high > _MOST_CLASSES:
        raise InputError(where, f"classes must lie in 0 … {classes - 1}, found {low} … {high}", "Count them from 0")
    if high >= classes:
        counted = " (are they counted from 1?)" if low == 1 and high == classes else ""
        raise InputError(
            where,
            f"holds class {high}; the model has {outputs} output{'s' * (outputs > 1)}, so classes 0 … "
            f"{classes - 1}{counted}",
            "Count classes from 0, in the order of the outputs",
        )
    return y
