"""Data sets: samples to calibrate, train and test with, checked, and split where they are not yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from . import array_files
from .array_files import LARGEST_ARRAY, read_npy, to_npy
from .labels import (
    as_text,
    coded,
    label_names,
    numbers_are_names,
)
from .split import STRATIFIED, held_back

__all__ = [
    "LABEL_COLUMNS",
    "LARGEST_ARRAY",
    "Dataset",
    "as_dataset",
    "as_values",
    "load_arrays",
    "load_dataset",
    "load_inputs",
    "read_npy",
    "to_npy",
]

LARGEST_VALUE = 1e19
"""The largest magnitude of a sample's value: its square is still a float32."""
LABEL_COLUMNS = ("y", "label", "class")
"""What the column of a table is called that is y, in any case."""
_NPZ_NAMES = ("x", "y", "x_test", "y_test", "labels")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples to calibrate, train and test with.

    Parameters
    ----------
    x, x_test : float32 or float64 [samples, features]; `x_test` is held back from training and calibration.
    y, y_test : int64 [samples], the class of each sample; or float64 [samples, outputs], values; or None.
    labels : the names of the classes, or empty.
    split : how `x_test` came about: given, stratified, random, tail, or all (see `split`).
    """

    x: npt.NDArray[np.floating[Any]]
    x_test: npt.NDArray[np.floating[Any]]
    y: npt.NDArray[Any] | None = None
    y_test: npt.NDArray[Any] | None = None
    labels: tuple[str, ...] = ()
    split: str = "given"

    @property
    def features(self) -> int:
        """Number of input features."""
        return int(self.x.shape[1])

    @property
    def described(self) -> dict[str, Any]:
        """What a bundle says of the data that it was made and judged with: JSON-able, no value of it.

        `sha256` is over the bytes of x, y, x_test and y_test, each behind its dtype and shape.
        """
        whole = hashlib.sha256()
        for array in (self.x, self.y, self.x_test, self.y_test):
            if array is not None:
                whole.update(f"{array.dtype.str}{array.shape}".encode())
                whole.update(np.ascontiguousarray(array).data)
        samples = len(self.x_test) if self.split == "all" else len(self.x) + len(self.x_test)
        held_back = 0 if self.split == "all" else len(self.x_test)
        return {"samples": samples, "held_back": held_back, "split": self.split, "sha256": whole.hexdigest()}

    def undivided(self) -> Dataset:
        """All samples on both sides, for a network that learns nothing from them; itself where the user split."""
        if self.split in ("given", "all"):
            return self
        x = np.concatenate([self.x, self.x_test])
        y = None if self.y is None or self.y_test is None else np.concatenate([self.y, self.y_test])
        return replace(self, x=x, x_test=x, y=y, y_test=y, split="all")


def _array(where: str, arrays: Mapping[str, Any], name: str) -> npt.NDArray[Any]:
    """An array of that name; InputError where items are masked, or lists of other lengths cannot be one."""
    array = arrays[name]
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise InputError(f"{where}, {name}", "has masked items", "Remove or fill such samples")
    try:
        return np.asarray(array.detach() if hasattr(array, "detach") else array)  # a tensor that requires grad
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{where}, {name}", f"is not an array ({error})", "Give every sample as many features"
        ) from error


def _with_names(where: str, arrays: Mapping[str, Any], labels: Sequence[str]) -> Mapping[str, Any]:
    """`arrays` with y and y_test as text where their whole numbers are names among the labels."""
    given = {name: _array(where, arrays, name) for name in ("y", "y_test") if name in arrays}
    numbers = {
        name: array
        for name, array in given.items()
        if array.dtype.kind in "iuf" and array.ndim and array.size == len(array) and np.all(np.rint(array) == array)
    }
    if not labels or not numbers_are_names(f"{where}, {' and '.join(numbers)}", tuple(numbers.values()), labels):
        return arrays
    return {**arrays, **{name: array.reshape(-1).astype(np.int64).astype(np.str_) for name, array in numbers.items()}}


def _samples(where: str, array: npt.NDArray[Any]) -> npt.NDArray[np.floating[Any]]:
    if array.dtype.kind not in "biuf" or array.ndim < 2 or array.size == 0:
        raise InputError(where, f"must be numbers [samples, features], found {array.dtype} {list(array.shape)}")
    dtype = np.float64 if array.dtype.itemsize > 4 or array.dtype == np.int32 else np.float32
    flat: npt.NDArray[np.floating[Any]] = array.reshape(len(array), -1).astype(dtype, copy=False)
    bad = ~np.isfinite(flat)
    if np.any(bad):
        row, column = np.argwhere(bad)[0]
        raise InputError(where, f"sample {row}, feature {column} is {flat[row, column]}", "Remove or fill such samples")
    worst = flat.argmax() if flat.max() >= -flat.min() else flat.argmin()
    row, column = divmod(int(worst), flat.shape[1])
    if abs(flat[row, column]) > LARGEST_VALUE:
        raise InputError(
            where,
            f"sample {row}, feature {column} is {flat[row, column]:.3g}; past {LARGEST_VALUE:.0e} float32 overflows",
            "Give this feature in another unit, or remove such samples",
        )
    return flat


def _answers(where: str, array: npt.NDArray[Any], samples: int, labels: Sequence[str]) -> npt.NDArray[Any]:
    """y as classes, int64 [samples], or as values, float64 [samples, outputs]; names are coded by `labels`."""
    if not array.ndim or not array.size or len(array) != samples:
        raise InputError(
            where, f"must hold one class or one row of values for each of {samples} samples, found {list(array.shape)}"
        )
    array = as_text(array.reshape(samples, -1))
    if array.dtype.kind == "U":
        if array.shape[1] != 1:
            raise InputError(where, f"must hold one name per sample, found shape {list(array.shape)}")
        return coded(where, array[:, 0], labels)
    if array.dtype.kind not in "biuf":
        raise InputError(where, f"must be classes (integers or names) or values (real numbers), found {array.dtype}")
    if array.dtype.kind == "f":
        if not np.all(np.isfinite(array)):
            row = int(np.argwhere(~np.isfinite(array))[0, 0])
            raise InputError(where, f"sample {row} is {array[row].tolist()}", "Remove or fill such samples")
        if np.abs(array).max() > LARGEST_VALUE:
            raise InputError(
                where, f"holds values past {LARGEST_VALUE:.0e}, where float32 overflows", "Change the unit"
            )
        whole = array.shape[1] == 1 and bool(np.all(np.abs(array) < 2**53)) and np.array_equal(array, np.rint(array))
        if not whole:
            return array.astype(np.float64)
    if array.shape[1] > 1:
        return array.astype(np.float64)
    if array.dtype.kind == "u" and int(array.max()) >= 2**63:
        raise InputError(where, f"holds {array.max()}, past 63 bits")
    return array[:, 0].astype(np.int64)


def as_values(y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """y [samples] or [samples, outputs] as values: float64 [samples, outputs]."""
    return np.asarray(y, np.float64).reshape(len(y), -1)


def as_dataset(
    arrays: Mapping[str, npt.NDArray[Any]],
    where: str = "data",
    *,
    labels: Sequence[str] = (),
    split: str | None = None,
) -> Dataset:
    """A `Dataset` from arrays `x`, and where there are any `y`, `x_test`, `y_test`, `labels`.

    Parameters
    ----------
    labels : names of the classes in the order of the model's outputs, where the arrays hold none.
    split : without `x_test`, how a fifth of the samples is held back (default: stratified): see `split.held_back`.

    Raises InputError naming `where` and the array.
    """
    if "x" not in arrays:
        raise InputError(where, f"holds no array 'x', found {sorted(arrays)}", "Save samples as x [samples, features]")
    x = _samples(f"{where}, x", _array(where, arrays, "x"))
    names = label_names(f"{where}, labels", arrays.get("labels", ()), labels)
    arrays = _with_names(where, arrays, names)
    y = None
    if "y" in arrays:
        y = _answers(f"{where}, y", _array(where, arrays, "y"), len(x), names)
    if "x_test" in arrays:
        if split is not None:
            raise InputError("option split", f"{where} holds x_test, a split of its own", "Leave one of the two out")
        x_test = _samples(f"{where}, x_test", _array(where, arrays, "x_test"))
        if x_test.shape[1] != x.shape[1]:
            raise InputError(f"{where}, x_test", f"has {x_test.shape[1]} features, x has {x.shape[1]}")
        y_test = None
        if "y_test" in arrays:
            y_test = _answers(f"{where}, y_test", _array(where, arrays, "y_test"), len(x_test), names)
            if y is not None and y.dtype != y_test.dtype:  # whole numbers on one side only: values on both
                y, y_test = as_values(y), as_values(y_test)
        return Dataset(x, x_test, y, y_test, names)
    train, test, kind = held_back(len(x), y, split or STRATIFIED, f"{where}, x")
    if y is None:
        return Dataset(x[train], x[test], None, None, names, kind)
    return Dataset(x[train], x[test], y[train], y[test], names, kind)


def load_arrays(path: Path) -> Mapping[str, npt.NDArray[Any]]:
    """The arrays of a data file by name (`x` alone for `.npy`); InputError where it is not sound."""
    return array_files.load_arrays(path, _NPZ_NAMES, LABEL_COLUMNS)


def load_dataset(path: Path, *, labels: Sequence[str] = (), split: str | None = None) -> Dataset:
    """The data set in a file, split into training and held-back samples; see `as_dataset`."""
    return as_dataset(load_arrays(path), str(path), labels=labels, split=split)


def load_inputs(path: Path) -> npt.NDArray[Any]:
    """Samples to simulate, [samples, features]: integers stay integers (taken as quantized), floats stay floats."""
    arrays = load_arrays(path)
    if "x" not in arrays:
        raise InputError(str(path), f"holds no array 'x', found {sorted(arrays)}")
    x = arrays["x"]
    if x.dtype.kind not in "iuf" or x.ndim < 1 or x.size == 0:
        raise InputError(str(path), f"must hold numbers [samples, features], found {x.dtype} {list(x.shape)}")
    return x.reshape(len(x), -1) if x.ndim > 1 else x[None, :]
