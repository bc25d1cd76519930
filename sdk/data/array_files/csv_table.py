"""A table of numbers in a `.csv` file, read row by row: memory is taken for the numbers alone."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import numpy as np
import numpy.typing as npt

from ...errors import InputError, printable
from ...system.regular_file import open_regular

__all__ = ["read_csv"]

_LARGEST_FILE = 2**30
_LONGEST_ROW = 2**22
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_REMEDY = "Columns are separated by commas, or by semicolons or tabs where the first line has no comma"


def read_csv(path: Path, label_columns: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """The rows as `x` [rows, columns] and, where a header names one of `label_columns`, that column as `y`.

    A first row that is not all numbers is a header. `y` is of integers or other numbers where all its cells are, else
    of text.
    """
    with open_regular(path, _LARGEST_FILE) as stream:
        try:
            return _table(path, io.TextIOWrapper(_kept_open(stream), encoding="utf-8-sig", newline=""), label_columns)
        except UnicodeDecodeError as error:
            raise InputError(str(path), "is damaged, or not text in UTF-8", "Save it as CSV in UTF-8") from error
        except csv.Error as error:
            raise InputError(str(path), f"is damaged or not what its name says ({printable(error)})") from error


def _kept_open(stream: BinaryIO) -> io.BufferedReader:
    """`stream` for a wrapper that closes what it wraps."""
    return io.BufferedReader(cast(Any, _Raw(stream)))


class _Raw(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


class _Lines:
    """Lines for a csv reader, which joins those that quotes hold together; a row of all memory is refused."""

    def __init__(self, path: Path, text: TextIO) -> None:
        self._path, self._text, self._taken = path, text, 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_LONGEST_ROW):
            self._taken += len(line)
            if self._taken >= _LONGEST_ROW:
                raise InputError(str(self._path), f"has a row of more than {_LONGEST_ROW} characters")
            yield line

    def row_ended(self) -> None:
        self._taken = 0


def _table(path: Path, text: TextIO, label_columns: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    lines = _Lines(path, text)
    source = iter(lines)
    first = next(source, "")
    lines.row_ended()
    delimiter = next((sign for sign in (",", ";", "\t") if sign in first), ",")
    reader = csv.reader(_chained(first, source), delimiter=delimiter)
    width: int | None = None
    label: int | None = None
    numbers = array("d")
    labels: list[str] = []
    names: dict[str, str] = {}
    for row in reader:
        lines.row_ended()
        if not row:
            continue
        if width is None:
            width = len(row)
            if any(_number(cell) is None for cell in row):
                label = _label_column(path, row, label_columns)
                continue
        where = f"{path}, line {reader.line_num}"
        if len(row) != width:
            raise InputError(where, f"has {len(row)} cells, expected {width}", _REMEDY)
        for column, cell in enumerate(row):
            if column == label:
                labels.append(names.setdefault(cell.strip(), cell.strip()))
                continue
            number = _number(cell)
            if number is None:
                raise InputError(where, f"cell {column + 1} is not a number: {printable(cell, 60)!r}", _REMEDY)
            numbers.append(number)
    if width is None:
        raise InputError(str(path), "is empty")
    features = width - (label is not None)
    if not numbers or not features:
        raise InputError(str(path), "holds no samples")
    arrays: dict[str, npt.NDArray[Any]] = {"x": np.frombuffer(numbers, np.float64).reshape(-1, features)}
    if label is not None:
        arrays["y"] = _labels(labels)
    return arrays


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
        yield from rest


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _label_column(path: Path, header: list[str], label_columns: tuple[str, ...]) -> int | None:
    names = [name.strip().lower() for name in header]
    found = [column for column, name in enumerate(names) if name in label_columns]
    if len(found) > 1:
        given = ", ".join(printable(header[column].strip(), 20) for column in found)
        raise InputError(str(path), f"has {len(found)} columns of classes: {given}", "Leave one of them")
    return found[0] if found else None


def _labels(cells: list[str]) -> npt.NDArray[Any]:
    if all(_INTEGER.fullmatch(cell) for cell in cells):
        return np.array([int(cell) for cell in cells], np.int64)
    reals = [_number(cell) for cell in cells]
    if all(real is not None for real in reals):
        return np.array(reals, np.float64)
    return np.array(cells)
