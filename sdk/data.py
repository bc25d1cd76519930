"""Data sets: samples to calibrate, train and test with, checked, and split where they are not yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import array_files
from .array_files import LARGEST_ARRAY, read_npy, to_npy
from .errors import InputError

__all__ = ["LARGEST_ARRAY", "Dataset", "as_dataset", "load_arrays", "load_dataset", "load_inputs", "read_npy", "to_npy"]

LARGEST_VALUE = 1e19
"""The largest magnitude of a sample's value: its square is still a float32."""
_LABEL_COLUMNS = ("y", "label", "class")
_NPZ_NAMES = ("x", "y", "x_test", "y_test", "labels")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples to calibrate, train and test with.

    Parameters
    ----------
    x, x_test : float32 or float64 [samples, features]; `x_test` is held back from training and calibration.
    y, y_test : int64 [samples], the class of each sample, or None.
    labels : the names of the classes, or empty.
    """

    x: npt.NDArray[np.floating[Any]]
    x_test: npt.NDArray[np.floating[Any]]
    y: npt.NDArray[np.int64] | None = None
    y_test: npt.NDArray[np.int64] | None = None
    labels: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """Number of input features."""
        return int(self.x.shape[1])


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


def _classes(where: str, array: npt.NDArray[Any], samples: int) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    if array.size != samples or not array.ndim or len(array) != samples:
        raise InputError(where, f"must be one class per sample ({samples}), found shape {list(array.shape)}")
    column = array.reshape(-1)
    if column.dtype.kind == "U":
        names, numbers = np.unique(column, return_inverse=True)
        return numbers.astype(np.int64), tuple(str(name) for name in names)
    if column.dtype.kind == "f" and np.all(np.isfinite(column)) and np.array_equal(column, np.rint(column)):
        column = column.astype(np.int64)
    if column.dtype.kind not in "biu":
        raise InputError(where, f"classes must be integers or names, found {column.dtype}")
    if column.min() < 0 or column.max() > 10**6:
        raise InputError(where, f"classes must lie in 0 … 10⁶, found {column.min()} … {column.max()}")
    return column.astype(np.int64), ()


def _label_names(where: str, array: npt.NDArray[Any]) -> tuple[str, ...]:
    if array.ndim != 1 or (array.size and array.dtype.kind not in "Ubiu"):
        raise InputError(
            where,
            f"must be a list of names, one per class, found {array.dtype} {list(array.shape)}",
            'Save them as labels=np.array(["first", "second"])',
        )
    return tuple(str(label) for label in array)


def as_dataset(arrays: Mapping[str, npt.NDArray[Any]], where: str = "data") -> Dataset:
    """A `Dataset` from arrays `x`, and where there are any `y`, `x_test`, `y_test`, `labels`.

    Without `x_test` the last fifth of the samples is held back. Raises InputError naming `where` and the array.
    """
    if "x" not in arrays:
        raise InputError(where, f"holds no array 'x', found {sorted(arrays)}", "Save samples as x [samples, features]")
    x = _samples(f"{where}, x", np.asarray(arrays["x"]))
    y, labels = None, _label_names(f"{where}, labels", np.asarray(arrays.get("labels", ())))
    if "y" in arrays:
        y, names = _classes(f"{where}, y", np.asarray(arrays["y"]), len(x))
        labels = labels or names
    if "x_test" in arrays:
        x_test = _samples(f"{where}, x_test", np.asarray(arrays["x_test"]))
        if x_test.shape[1] != x.shape[1]:
            raise InputError(f"{where}, x_test", f"has {x_test.shape[1]} features, x has {x.shape[1]}")
        y_test = None
        if "y_test" in arrays:
            if labels and np.asarray(arrays["y_test"]).dtype.kind == "U":
                raise InputError(f"{where}, y_test", "with a split of your own, give classes as integers")
            y_test, _ = _classes(f"{where}, y_test", np.asarray(arrays["y_test"]), len(x_test))
        return Dataset(x, x_test, y, y_test, labels)
    held_back = max(len(x) // 5, 1)
    if len(x) < 2:
        raise InputError(f"{where}, x", "needs at least 2 samples: the last fifth is held back for testing")
    split = len(x) - held_back
    return Dataset(x[:split], x[split:], None if y is None else y[:split], None if y is None else y[split:], labels)


def load_arrays(path: Path) -> Mapping[str, npt.NDArray[Any]]:
    """The arrays of a data file by name (`x` alone for `.npy`); InputError where it is not sound."""
    return array_files.load_arrays(path, _NPZ_NAMES, _LABEL_COLUMNS)


def load_dataset(path: Path) -> Dataset:
    """The data set in a file, split into training and held-back samples; InputError where it is not sound."""
    return as_dataset(load_arrays(path), str(path))


def load_inputs(path: Path) -> npt.NDArray[Any]:
    """Samples to simulate, [samples, features]: integers stay integers (taken as quantized), floats stay floats."""
    arrays = load_arrays(path)
    if "x" not in arrays:
        raise InputError(str(path), f"holds no array 'x', found {sorted(arrays)}")
    x = arrays["x"]
    if x.dtype.kind not in "iuf" or x.ndim < 1 or x.size == 0:
        raise InputError(str(path), f"must hold numbers [samples, features], found {x.dtype} {list(x.shape)}")
    return x.reshape(len(x), -1) if x.ndim > 1 else x[None, :]
