"""The model and the data of a conversion: read, and made to fit each other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .data.dataset import (
    LABEL_COLUMNS,
    Dataset,
    as_dataset,
    load_arrays,
)
from .errors import InputError
from .frontends.snn import Snn
from .judging.task import settle
from .network import Network

if TYPE_CHECKING:
    from .frontends.mlp import Mlp

__all__ = ["Inputs", "label_list", "read_inputs"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """A model with its task and labels, the data as this task takes it, and sentences for the user."""

    source: Mlp | Snn | Network
    data: Dataset | None
    notes: tuple[str, ...] = ()


def read_inputs(
    model: Any,
    data: Any,
    *,
    weights: Any = None,
    example: Any = None,
    name: str | None = None,
    task: str | None = None,
    labels: Sequence[str] = (),
    split: str | None = None,
) -> Inputs:
    """What `convert` works on.

    Parameters
    ----------
    model, weights, example, name : see `frontends.load_model`.
    data : a path (`.npz`, `.npy`, `.csv`, `.parquet`), or what `data.given.arrays_of` takes: a mapping of arrays (`x`,
        `y` …), (x, y), a frame of pandas, a torch Dataset or DataLoader, an array of samples; None without any.
    task : `classes`, `binary` or `values` (regression); default from the model and y, see `task.settle`.
    labels : names of the classes in the order of the model's outputs (of one output: of class 0 and class 1), as a
        list or as text with commas; y may then hold names. Default: what the data or the model hold.
    split : how a fifth of the samples is held back if data has no x_test: `stratified` (the default) or `tail`, the
        last fifth, for samples over time.

    A network of integers is judged on all samples, as none is needed to make it. Raises InputError where the model or
    the data cannot be read, or one does not fit the other.
    """
    from .frontends import load_model

    arrays, where, is_table = _arrays(data)
    taken = ""
    labels = label_list(labels)
    source = load_model(model, weights=weights, example=example, name=name, sample_shape=_sample_shape(arrays))
    if isinstance(arrays, Dataset):
        if split is not None:
            raise InputError("option split", "the data is a Dataset, which is split already", "Leave it out")
        dataset: Dataset | None = arrays
    elif arrays is not None:
        own = source.output.labels if isinstance(source, Network) else source.labels
        known = labels or (own if "labels" not in arrays else ())
        if is_table and "y" not in arrays and not isinstance(source, Snn):
            arrays, taken = _with_last_as_y(arrays, source.input_size)
        dataset = as_dataset(arrays, where, labels=known, split=split)
    else:
        dataset = None
    if dataset is not None:
        # A spiking model takes samples over time too: one feature per step and channel.
        fits = source.takes if isinstance(source, Snn) else lambda features: source.input_size == features
        if not fits(dataset.features):
            raise InputError(
                "data",
                f"has {dataset.features} features per sample; model {source.name} takes {source.input_size}",
                f"Call the column of the answers {', '.join(LABEL_COLUMNS)}" if is_table else "",
            )
        if isinstance(source, Network):
            dataset = dataset.undivided()
    told, dataset, notes = settle(source, dataset, task, labels)
    return Inputs(told, dataset, (*([taken] if taken else []), *notes))


def _sample_shape(arrays: Dataset | Mapping[str, Any] | None) -> tuple[int, ...] | None:
    """The shape of one sample of x; None where there are none."""
    x = arrays.x if isinstance(arrays, Dataset) else None if arrays is None else arrays.get("x")
    shape = getattr(x, "shape", ())
    return tuple(int(size) for size in shape[1:]) if len(shape) > 1 else None


def label_list(labels: str | Sequence[str] | None) -> tuple[str, ...]:
    """`a,b,c` or a sequence of names as a tuple; InputError where a name is empty or stands twice."""
    if not isinstance(labels, (str, Sequence, type(None), np.ndarray)):
        raise InputError("option labels", f"must be names, found {labels!r}", "Write for example --labels no,yes")
    parts = labels.split(",") if isinstance(labels, str) and labels else [] if labels is None else labels
    names = list(parts)
    found = tuple(str(name).strip() for name in names)
    if not all(found) or len(set(found)) != len(found):
        raise InputError("option labels", f"holds an empty name or one twice: {list(found)}")
    return found


def _arrays(data: Any) -> tuple[Dataset | Mapping[str, Any] | None, str, bool]:
    """The data, what errors call it, and whether it is a table, whose last column may be y."""
    if data is None or isinstance(data, Dataset):
        return data, "data", False
    if isinstance(data, (str, os.PathLike)):
        return load_arrays(Path(data)), str(data), Path(data).suffix.lower() in (".csv", ".parquet")
    from .data.given import arrays_of
    from .data.tables import is_frame

    return arrays_of(data), "data", is_frame(data)


def _with_last_as_y(arrays: Mapping[str, Any], inputs: int) -> tuple[Mapping[str, Any], str]:
    """The last column of a table as y, if the table has one more than `inputs` and it can be; and a sentence on it."""
    from .data.tables import last_column_as_y

    apart = last_column_as_y(arrays["x"]) if arrays["x"].shape[1] == inputs + 1 else None
    if apart is None:
        return arrays, ""
    return apart, "The table has one column more than the model has inputs: the last one is taken as y."
