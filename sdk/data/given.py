"""What `data=` may be in Python: arrays by name, one array, (x, y), a frame of pandas, a loader of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from .dataset import LABEL_COLUMNS
from .loaders import is_loader, loaded
from .tables import frame_arrays, is_frame, is_series, plain

__all__ = ["arrays_of"]


def arrays_of(data: Any, where: str = "data") -> Mapping[str, Any]:
    """The arrays that `as_dataset` takes.

    Parameters
    ----------
    data : one of
        a mapping of arrays (`x`, `y`, `x_test`, `y_test`, `labels`);
        (x, y), or ((x, y), (x_test, y_test)), as tuples;
        a DataFrame, whose column `y`, `label` or `class` is y, else its last column if that holds names;
        a torch Dataset or DataLoader of x or (x, y);
        an array of samples x.
        Arrays are numpy's, torch's (on any device), pandas' frames and series, or nested lists.

    Raises
    ------
    InputError : naming the column, sample or array that cannot be taken.
    """
    if isinstance(data, Mapping):
        return {str(name): plain(f"{where}, {name}", value) for name, value in data.items()}
    if is_frame(data):
        return frame_arrays(where, data, LABEL_COLUMNS)
    if is_loader(data):
        return loaded(where, data)
    if isinstance(data, tuple) and len(data) == 2:
        if all(isinstance(part, tuple) and len(part) == 2 for part in data):
            names: tuple[str, ...] = ("x", "y", "x_test", "y_test")
            values = [each for part in data for each in part]
        elif _is_array(data[0], 2) and _is_array(data[1], 1):
            names, values = ("x", "y"), list(data)
        else:
            names, values = ("x",), [data]
        return {name: plain(f"{where}, {name}", value) for name, value in zip(names, values, strict=True)}
    if isinstance(data, tuple) and len(data) > 2 and _is_array(data[0], 2) and hasattr(data[0], "shape"):
        raise InputError(where, f"is a tuple of {len(data)} arrays", "Give (x, y), or ((x, y), (x_test, y_test))")
    return {"x": plain(f"{where}, x", data)}


def _is_array(value: Any, dimensions: int) -> bool:
    """Whether it is an array, or nested lists, of so many dimensions at least."""
    if is_frame(value) or is_series(value):
        return True
    if isinstance(value, list):
        return bool(value) and (dimensions < 2 or isinstance(value[0], (list, tuple)) or hasattr(value[0], "shape"))
    return len(getattr(value, "shape", ())) >= dimensions
