"""Frames and series of pandas as arrays: each column is numbers, one of them may be the classes or values to learn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, printable

__all__ = ["frame_arrays", "is_frame", "is_series", "last_column_as_y", "plain"]

_NUMBERS = "Code it as numbers, or leave it out"
_FILL = "Remove or fill such samples"


def is_frame(value: Any) -> bool:
    """Whether it is a DataFrame of pandas, which is imported where there is one."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    """Whether it is a Series or Index of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.Series, pandas.Index))


def frame_arrays(where: str, frame: Any, label_columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """A frame as `x` [rows, columns], and `y` where one column is named as one of `label_columns`, or else the last
    one holds names. The index is left out.

    Raises
    ------
    InputError : a column holds something else than numbers, or nothing in a row; several are named as y.
    """
    names = [str(name).strip().lower() for name in frame.columns]
    found = [column for column, name in enumerate(names) if name in label_columns]
    if len(found) > 1:
        given = ", ".join(printable(frame.columns[column], 20) for column in found)
        raise InputError(where, f"has {len(found)} columns of classes: {given}", "Leave one of them")
    if not found and len(names) > 1 and _holds_names(frame.iloc[:, -1]):
        found = [len(names) - 1]
    features = [column for column in range(len(names)) if column not in found]
    if not features or not len(frame):
        raise InputError(where, "holds no samples")
    columns = [_numbers(_column(where, frame, column), frame.iloc[:, column]) for column in features]
    narrow = all(column.dtype == np.float32 or column.dtype.itemsize < 4 for column in columns)
    arrays: dict[str, npt.NDArray[Any]] = {"x": np.empty((len(frame), len(columns)), np.float32 if narrow else float)}
    for place, column in enumerate(columns):
        arrays["x"][:, place] = column
    if found:
        arrays["y"] = _answers(_column(where, frame, found[0]), frame.iloc[:, found[0]])
    return arrays


def plain(where: str, value: Any) -> Any:
    """Arrays of pandas and torch as arrays of numpy; anything else as it is."""
    if is_frame(value):
        if value.shape[1] == 1 and _holds_names(value.iloc[:, 0]):
            return _answers(where, value.iloc[:, 0])
        return frame_arrays(where, value, ())["x"] if not _names_last(value) else _refuse_names(where, value)
    if is_series(value):
        return _answers(where, value)
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        # bfloat16 is no type of numpy; float32 holds all its numbers.
        return value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
    return value


def last_column_as_y(x: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]] | None:
    """The last column of a table as `y`, the others as `x`; None where it holds fractions, which may be features."""
    if x.ndim != 2 or x.shape[1] < 2 or not np.array_equal(x[:, -1], np.rint(x[:, -1])):
        return None
    return {"x": x[:, :-1], "y": x[:, -1].astype(np.int64)}


def _column(where: str, frame: Any, column: int) -> str:
    return f"{where}, column {printable(frame.columns[column], 40)!r}"


def _holds_names(series: Any) -> bool:
    """Whether a column holds text or categories, in any of pandas' types for them."""
    kind = getattr(series.dtype, "kind", "O")
    return kind in "OSU" or str(series.dtype) in ("category", "string")


def _names_last(frame: Any) -> bool:
    return bool(frame.shape[1] > 1 and _holds_names(frame.iloc[:, -1]))


def _refuse_names(where: str, frame: Any) -> Any:
    raise InputError(
        _column(where, frame, frame.shape[1] - 1), "holds text, where x is numbers", "Give it as y, or leave it out"
    )


def _complete(where: str, series: Any) -> None:
    missing = np.asarray(series.isna(), bool)
    if missing.any():
        raise InputError(where, f"row {int(missing.argmax())} is missing", _FILL)


def _numbers(where: str, series: Any) -> npt.NDArray[Any]:
    """A column of features as numbers."""
    _complete(where, series)
    kind = getattr(series.dtype, "kind", "O")
    if kind not in "biuf" or str(series.dtype) == "category":
        raise InputError(where, f"holds {printable(series.dtype, 40)}, where numbers are expected", _NUMBERS)
    # Types of pandas' own, such as Int64, give objects unless they are told.
    return np.asarray(series.to_numpy(dtype=np.dtype(f"{kind}{getattr(series.dtype, 'itemsize', 8)}")))


def _answers(where: str, series: Any) -> npt.NDArray[Any]:
    """A series as classes by number or name, or as values."""
    _complete(where, series)
    if not _holds_names(series):
        return _numbers(where, series)
    values = series.tolist()
    if all(isinstance(value, str) for value in values):
        return np.array(values, np.str_)
    if all(isinstance(value, (bool, int, float, np.number)) for value in values):
        return np.array(values)
    raise InputError(where, "holds something else than names or numbers", _NUMBERS)
