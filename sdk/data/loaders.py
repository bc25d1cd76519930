"""Samples of torch's `Dataset` and `DataLoader`, in the order of the data set, whatever order a loader draws."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EdgemlError, InputError, printable
from .array_files import LARGEST_ARRAY
from .tables import plain

__all__ = ["is_loader", "loaded"]

_BATCH = 256
_PAIR = "Each sample is x, or (x, y), or a mapping with x and y"


def is_loader(value: Any) -> bool:
    """Whether it is a Dataset or DataLoader of torch, which is imported where there is one."""
    module = sys.modules.get("torch.utils.data")
    return module is not None and isinstance(value, (module.Dataset, module.DataLoader))


def loaded(where: str, source: Any) -> dict[str, npt.NDArray[Any]]:
    """All samples as `x` [samples, …] and, where there are any, `y`.

    A loader's `collate_fn` makes the batches, as in training; its shuffling is left out, so that the same data gives
    the same bundle. Of a sampler that chooses some samples (`SubsetRandomSampler`) these are taken, in their order.

    Raises
    ------
    InputError : a sample cannot be read, is neither x nor (x, y), or all together are too much.
    """
    parts: dict[str, list[npt.NDArray[Any]]] = {}
    size = count = 0
    for batch in _batches(where, source):
        found = _named(where, batch)
        if parts and set(found) != set(parts):
            raise InputError(f"{where}, batch {count}", f"holds {', '.join(found)}, those before {', '.join(parts)}")
        for name, value in found.items():
            array = np.asarray(plain(f"{where}, {name}", value))
            size += array.nbytes
            if size > LARGEST_ARRAY:
                raise InputError(where, f"gives more than {LARGEST_ARRAY} bytes", "Give a part of the samples")
            parts.setdefault(name, []).append(array if array.ndim else array[None])
        count += 1
    if not count:
        raise InputError(where, "holds no samples")
    try:
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}
    except ValueError as error:
        raise InputError(where, f"gives samples of different shapes ({printable(error)})") from error


def _batches(where: str, source: Any) -> Iterator[Any]:
    data = sys.modules["torch.utils.data"]
    collate, dataset = data.default_collate, source
    if isinstance(source, data.DataLoader):
        collate, dataset = source.collate_fn, source.dataset
        if source.batch_size is None and source.batch_sampler is None:
            collate = data.default_collate  # each item of such a data set is a sample
    if isinstance(dataset, data.TensorDataset) and dataset is source:
        yield list(dataset.tensors)
        return
    if isinstance(dataset, data.IterableDataset) or not hasattr(dataset, "__len__"):
        whole = source is not dataset
        yield from _told(where, source if whole else (collate([item]) for item in dataset))
        return
    order = list(_order(source, len(dataset)))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        yield from _told(f"{where}, samples {rows[0]} to {rows[-1]}", _collated(dataset, collate, rows))


def _collated(dataset: Any, collate: Any, rows: list[int]) -> Iterator[Any]:
    yield collate([dataset[row] for row in rows])


def _order(source: Any, samples: int) -> Iterable[int]:
    sampler = getattr(source, "sampler", None)
    if isinstance(sampler, sys.modules["torch.utils.data"].SubsetRandomSampler):
        return sorted(int(index) for index in sampler.indices)
    return range(samples)


def _told(where: str, batches: Iterable[Any]) -> Iterator[Any]:
    """`batches`, an error in the user's own code told as one of the data."""
    iterator = iter(batches)
    while True:
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except EdgemlError:
            raise
        except Exception as error:
            line = printable(f"{type(error).__name__}: {error}", 300)
            raise InputError(where, f"cannot be read ({line})") from error
        yield batch


def _named(where: str, batch: Any) -> dict[str, Any]:
    if isinstance(batch, Mapping):
        if "x" in batch and set(batch) <= {"x", "y"}:
            return dict(batch)
        raise InputError(where, f"gives {printable(sorted(map(str, batch)), 80)}", _PAIR)
    if isinstance(batch, (tuple, list)):
        if len(batch) not in (1, 2):
            raise InputError(where, f"gives {len(batch)} arrays for a batch", _PAIR)
        return dict(zip(("x", "y"), batch, strict=False))
    return {"x": batch}
