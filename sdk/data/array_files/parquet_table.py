"""A table in a `.parquet` file, read by pyarrow or fastparquet into a frame of pandas."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ...errors import InputError, MissingTool, printable
from ...system.regular_file import read_regular
from ..tables import frame_arrays
from .npy import LARGEST_ARRAY

__all__ = ["read_parquet"]

_LARGEST_FILE = 2**30
_MAGIC = b"PAR1"
_INSTALL = "pip install pandas pyarrow"


def read_parquet(path: Path, label_columns: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """The rows as `x` and, as in a frame, `y`; see `tables.frame_arrays`.

    Raises
    ------
    MissingTool : neither pyarrow nor fastparquet is installed, or pandas is not.
    InputError : the file is damaged, claims too much, or holds columns that are not numbers.
    """
    where = str(path)
    reader = next((name for name in ("pyarrow", "fastparquet") if importlib.util.find_spec(name)), None)
    if reader is None or importlib.util.find_spec("pandas") is None:
        raise MissingTool(where, "needs pandas, and pyarrow or fastparquet, to be read", _INSTALL)
    content = read_regular(path, _LARGEST_FILE)
    if len(content) < 12 or content[:4] != _MAGIC or content[-4:] != _MAGIC:
        raise InputError(where, "is damaged or not a Parquet file")
    try:
        frame = _by_pyarrow(where, content) if reader == "pyarrow" else _by_fastparquet(where, content)
    except (InputError, MissingTool):
        raise
    except Exception as error:  # what damaged files raise is not said by either package
        line = printable(f"{type(error).__name__}: {error}", 300)
        raise InputError(where, f"is damaged or not what its name says ({line})") from error
    return frame_arrays(where, frame, label_columns)


def _check_extent(where: str, rows: int, columns: int) -> None:
    if rows < 0 or columns < 0 or rows * columns * 8 > LARGEST_ARRAY:
        raise InputError(where, f"claims {rows} rows of {columns} columns; at most {LARGEST_ARRAY} bytes are read")


def _by_pyarrow(where: str, content: bytes) -> Any:
    from pyarrow import parquet

    file = parquet.ParquetFile(io.BytesIO(content))
    _check_extent(where, file.metadata.num_rows, file.metadata.num_columns)
    return file.read(use_threads=False).to_pandas()


def _by_fastparquet(where: str, content: bytes) -> Any:
    import fastparquet

    file = fastparquet.ParquetFile(io.BytesIO(content))
    _check_extent(where, int(file.count()), len(file.columns))
    return file.to_pandas()
