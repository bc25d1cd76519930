"""Arrays in files: `.npz`, `.npy`, `.csv` and `.parquet`, without pickle, sizes checked before memory is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ...errors import InputError
from .csv_table import read_csv
from .npy import LARGEST_ARRAY, read_npy, to_npy
from .npz import read_npz

__all__ = ["LARGEST_ARRAY", "load_arrays", "read_npy", "to_npy"]


def load_arrays(path: Path, names: tuple[str, ...], label_columns: tuple[str, ...]) -> Mapping[str, npt.NDArray[Any]]:
    """The arrays of a data file by name; InputError where it is not sound.

    Parameters
    ----------
    names : of the arrays that are read from a `.npz`; a `.npy` gives the first of them.
    label_columns : names of columns of a table that give the array `y`; the others are `x`.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_npz(path, names)
    if suffix == ".npy":
        return {names[0]: read_npy(path)}
    if suffix == ".csv":
        return read_csv(path, label_columns)
    if suffix == ".parquet":
        from .parquet_table import read_parquet

        return read_parquet(path, label_columns)
    raise InputError(str(path), f"has an unknown ending {suffix!r}", "Data is read from .npz, .npy, .csv and .parquet")
