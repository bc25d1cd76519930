"""Data sets in: `.npz`, `.npy` and `.csv`, read without pickle and with sizes checked before memory is taken."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from .errors import InputError

__all__ = ["Dataset", "as_dataset", "load_arrays", "load_dataset", "load_inputs", "read_npy", "to_npy"]

LARGEST_ARRAY = 2**32
"""Bytes that one array of a data file may take in memory."""
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
    return flat


def _classes(where: str, array: npt.NDArray[Any], samples: int) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    array = array.reshape(len(array), -1) if array.ndim > 1 else array[:, None] if array.ndim else array
    if array.ndim != 2 or array.shape != (samples, 1):
        raise InputError(where, f"must be one class per sample ({samples}), found shape {list(array.shape)}")
    column = array[:, 0]
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


def as_dataset(arrays: Mapping[str, npt.NDArray[Any]], where: str = "data") -> Dataset:
    """A `Dataset` from arrays `x`, and where there are any `y`, `x_test`, `y_test`, `labels`.

    Without `x_test` the last fifth of the samples is held back. Raises InputError naming `where` and the array.
    """
    if "x" not in arrays:
        raise InputError(where, f"holds no array 'x', found {sorted(arrays)}", "Save samples as x [samples, features]")
    x = _samples(f"{where}, x", np.asarray(arrays["x"]))
    y, labels = None, tuple(str(label) for label in arrays.get("labels", ()))
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


def _read_npy(where: str, stream: BinaryIO, size: int) -> npt.NDArray[Any]:
    """One `.npy` of `size` bytes; the header's claim is held against `size` before memory is taken."""
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise InputError(where, f".npy version {version} is not supported", "Save it with numpy.save")
        header = stream.tell()
    except (ValueError, SyntaxError, UnicodeDecodeError, TypeError) as error:
        raise InputError(where, f"is not a sound .npy array ({error})") from error
    if dtype.hasobject or dtype.kind not in "biufU":
        raise InputError(where, f"holds {dtype}; only numbers and text are read, never pickled objects")
    wanted = math.prod(shape) * dtype.itemsize
    if any(extent < 0 for extent in shape) or wanted > LARGEST_ARRAY:
        raise InputError(where, f"claims shape {list(shape)}, {wanted} bytes; at most {LARGEST_ARRAY} are read")
    if wanted != size - header:
        raise InputError(where, f"claims {wanted} bytes of data and holds {size - header}: truncated or damaged")
    content = stream.read(wanted)
    if len(content) != wanted:
        raise InputError(where, f"ends after {len(content)} of {wanted} bytes")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def read_npy(path: Path) -> npt.NDArray[Any]:
    """The array in a `.npy` file; InputError where it is not sound, OSError where it cannot be read."""
    size = path.stat().st_size
    if size > LARGEST_ARRAY:
        raise InputError(str(path), f"has {size} bytes; at most {LARGEST_ARRAY} are read")
    with path.open("rb") as stream:
        return _read_npy(str(path), stream, size)


def _read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in _NPZ_NAMES:
            member = f"{name}.npy"
            if member in archive.namelist():
                info = archive.getinfo(member)
                if info.file_size > LARGEST_ARRAY:
                    raise InputError(f"{path}, {name}", f"claims {info.file_size} bytes; at most {LARGEST_ARRAY}")
                with archive.open(info) as stream:
                    arrays[name] = _read_npy(f"{path}, {name}", stream, info.file_size)  # type: ignore[arg-type]
        if not arrays:
            raise InputError(str(path), f"holds none of the arrays {', '.join(_NPZ_NAMES)}: {archive.namelist()[:9]}")
    return arrays


def _read_csv(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Rows of numbers; a first row of names is a header, in which `y`, `label` or `class` names the class column."""
    if path.stat().st_size > LARGEST_ARRAY // 4:
        raise InputError(str(path), f"has {path.stat().st_size} bytes; a .csv is read up to {LARGEST_ARRAY // 4}")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream) if row]
    if not rows:
        raise InputError(str(path), "is empty")
    header: list[str] = []
    try:
        [float(cell) for cell in rows[0]]
    except ValueError:
        header = [name.strip().lower() for name in rows.pop(0)]
    width = len(header or rows[0])
    for number, row in enumerate(rows, start=2 if header else 1):
        if len(row) != width:
            raise InputError(f"{path}, line {number}", f"has {len(row)} cells, expected {width}")
    class_column = next((header.index(name) for name in _LABEL_COLUMNS if name in header), None)
    features = [column for column in range(width) if column != class_column]
    if not rows or not features:
        raise InputError(str(path), "holds no samples")
    x = np.empty((len(rows), len(features)))
    for position, column in enumerate(features):
        for number, row in enumerate(rows):
            try:
                x[number, position] = float(row[column])
            except ValueError:
                line = number + (2 if header else 1)
                raise InputError(
                    f"{path}, line {line}", f"cell {column + 1} is not a number: {row[column]!r}"
                ) from None
    arrays: dict[str, npt.NDArray[Any]] = {"x": x}
    if class_column is not None:
        cells = [row[class_column].strip() for row in rows]
        integers = all(cell.lstrip("-").isdigit() for cell in cells)
        arrays["y"] = np.array([int(cell) for cell in cells]) if integers else np.array(cells)
    return arrays


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a data file by name (`x` alone for `.npy`); InputError where it is not sound."""
    try:
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return _read_npz(path)
        if suffix == ".npy":
            return {"x": read_npy(path)}
        if suffix == ".csv":
            return _read_csv(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(str(path), f"is damaged or not what its name says ({error})") from error
    except Exception as error:
        if type(error).__module__ in ("zlib", "lzma"):
            raise InputError(str(path), f"is damaged ({error})") from error
        raise
    raise InputError(str(path), f"has an unknown ending {suffix!r}", "Data is read from .npz, .npy and .csv")


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


def to_npy(array: npt.NDArray[Any]) -> bytes:
    """`array` as the bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()
