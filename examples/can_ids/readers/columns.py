"""Where the parts of a frame stand in a row, told from the header, if there is one, and the first rows.

Files made from HCRL's differ in all but the order of things: a header or none, eight data columns or one with all
bytes, rows that end after their last byte or are filled up to eight, a label or none, other separators, base 10 for 16.

**By position**: a row is time, identifier, DLC, data and perhaps a label. So are files without a header, and those
whose rows are longer than a header that begins so. **By name**: any other header, in any order; unknown columns are
left out.

Numbers are hexadecimal unless no hexadecimal file looks like that: decimal data never has a letter in it and has bytes
of three digits; decimal identifiers have neither letters nor leading zeros, in a file with decimal data, or where base
16 would make some too large for a standard identifier and base 10 none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .cells import LARGEST_STANDARD, Base, cells_of, length_of, separator_of
from .lines import lines_of, problem, seconds

__all__ = ["Layout", "Row", "header_of", "layout_of", "looks_like"]

_SAMPLED_ROWS = 4096
_NAMES = {
    "time": ("timestamp", "time", "timestamps", "ts"),
    "identifier": ("id", "canid", "arbitrationid", "identifier", "aid"),
    "length": ("dlc", "length", "len", "datalength"),
    "packed": ("data", "payload", "datafield", "databytes"),
    # In this order: a file with both says in the second only whether a frame is injected.
    "label": ("subclass", "flag", "label", "class", "attack", "tag", "type"),
}
_BYTE_COLUMN = re.compile(r"(?:d|data|byte|databyte)([0-8])", re.ASCII)
_BETWEEN_BYTES = re.compile(r"[\s:.,_-]+", re.ASCII)
_FLAGS = ("R", "T")


@dataclass(frozen=True)
class Row:
    """The cells of one frame; `label` is None where the file has none, `length` where no column says it."""

    time: str
    identifier: str
    length: int | None
    data: list[str]
    label: str | None


@dataclass(frozen=True, eq=False)
class Layout:
    """How a file is written.

    Parameters
    ----------
    separator : between cells.
    columns : the place of each of `_NAMES` that there is; empty where rows go by position.
    bytes_at : places of the data columns, where rows go by name and each byte has one.
    packed : one cell holds all data.
    labelled : there is a label.
    flags : labels are R and T, and nothing else.
    identifiers, data : how those numbers are written.
    """

    separator: str
    columns: dict[str, int]
    bytes_at: tuple[int, ...]
    packed: bool
    labelled: bool
    flags: bool
    identifiers: Base
    data: Base

    def row(self, line: str) -> Row:
        """The parts of a line; ValueError saying what is wrong with it."""
        cells = _trimmed(cells_of(line, self.separator))
        found = self._by_name(cells, line) if self.columns else self._by_position(cells, line)
        if self.flags and found.label not in _FLAGS:
            raise problem(line, "Timestamp, ID, DLC, DATA0 … DATA7, R or T")
        return found

    def _by_position(self, cells: list[str], line: str) -> Row:
        if len(cells) < 3 + self.labelled:
            raise problem(line, "Timestamp, ID, DLC, DATA0 … DATA7" + self.labelled * " and a label")
        label = cells.pop() if self.labelled else None
        time, identifier, length, *data = _trimmed(cells)
        return Row(time, identifier, length_of(length), self._bytes(data), label)

    def _by_name(self, cells: list[str], line: str) -> Row:
        last = max(*self.columns.values(), *self.bytes_at, 0)
        cells += [""] * (last + 1 - len(cells))
        data = [cells[place] for place in self.bytes_at] or [cells[self.columns["packed"]]]
        label = cells[self.columns["label"]] if self.labelled else None
        data = _trimmed(data)
        if label == "" and data and data[-1] in _FLAGS:
            # Rows shorter than the header: the flag follows the last byte.
            label = data.pop()
        if label == "":
            raise problem(line, "a label in each row")
        length = length_of(cells[self.columns["length"]]) if "length" in self.columns else None
        return Row(cells[self.columns["time"]], cells[self.columns["identifier"]], length, self._bytes(data), label)

    def _bytes(self, data: list[str]) -> list[str]:
        return _unpacked(data) if self.packed else data


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at the end, which spreadsheets leave."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _unpacked(data: list[str]) -> list[str]:
    """The bytes of one cell: parted by anything, or digits in a row; ValueError where those are not in pairs."""
    if len(data) > 1:
        raise ValueError(f"has {len(data)} cells of data where other rows have one")
    parts = [part for cell in data for part in _BETWEEN_BYTES.split(cell) if part]
    if len(parts) != 1 or len(parts[0]) <= 2:
        return parts
    digits = parts[0][2:] if parts[0][:2] in ("0x", "0X") else parts[0]
    if len(digits) % 2 or len(digits) > 16:
        raise problem(parts[0], "0 to 8 data bytes of two digits")
    return [digits[at : at + 2] for at in range(0, len(digits), 2)]


def header_of(line: str) -> tuple[dict[str, int], tuple[int, ...]] | None:
    """(place of each name, places of the data columns) where a line is a header: time, identifier, data; else None."""
    try:
        cells = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in cells_of(line, separator_of(line))]
    except ValueError:
        return None
    columns = {}
    for what, names in _NAMES.items():
        places = [cells.index(name) for name in names if name in cells]
        if places:
            columns[what] = places[0]
    matches = [_BYTE_COLUMN.fullmatch(cell) for cell in cells]
    numbered = sorted((int(match[1]), place) for place, match in enumerate(matches) if match is not None)
    first = numbered[0][0] if numbered else 0
    if [number for number, _ in numbered] != list(range(first, first + len(numbered))) or len(numbered) > 8:
        return None
    if not {"time", "identifier"} <= {*columns} or not ({"packed", "length"} & {*columns} or numbered):
        return None
    return columns, tuple(place for _, place in numbered)


def looks_like(line: str) -> bool:
    """Whether a first line is a header, or time, identifier and DLC."""
    if header_of(line) is not None:
        return True
    try:
        time, identifier, length, *data = cells_of(line, separator_of(line))
        time_of(time)
        Base(False).number(identifier, 2**64 - 1, "ID")
        length_of(length)
    except ValueError:
        return False
    return len(data) <= 10


def time_of(text: str) -> float:
    """A time in seconds, with a decimal point or a comma; ValueError where it is none."""
    return seconds(text.replace(",", ".", 1))


def layout_of(path: Path) -> Layout:
    """How a file is written, from its first rows. Rows that make no sense are left to the reading to name."""
    lines = [line for _, line in islice(lines_of(path), _SAMPLED_ROWS)]
    separator = separator_of(lines[0])
    header = header_of(lines[0])
    rows = []
    for line in lines[1 if header else 0 :]:
        try:
            rows.append(_trimmed(cells_of(line, separator)))
        except ValueError:
            continue
    columns: dict[str, int] = {}
    bytes_at: tuple[int, ...] = ()
    if header is None or _by_position(header[0], len(cells_of(lines[0], separator)), rows):
        packed, labelled = _positions(rows)
        labels = [row[-1] for row in rows[:1]] if labelled else []
    else:
        columns, bytes_at = header
        packed, labelled = not bytes_at, "label" in columns
        # A row that is shorter than the header ends with its flag.
        labels = [row[min(columns["label"], len(row) - 1)] for row in rows[:1] if labelled and row]
    flags = bool(labels) and labels[0] in _FLAGS
    hexadecimal = Base(False)
    draft = Layout(separator, dict(columns), bytes_at, packed, labelled, flags, hexadecimal, hexadecimal)
    return _with_bases(draft, lines[1 if header else 0 :])


def _by_position(columns: dict[str, int], width: int, rows: Sequence[list[str]]) -> bool:
    """Whether a header names the first columns only."""
    begins = [columns.get(name) for name in ("time", "identifier", "length")] == [0, 1, 2]
    if "packed" not in columns and begins and not any(len(row) > width for row in rows):
        return width == 3
    return begins and any(len(row) > width for row in rows)


def _positions(rows: Sequence[list[str]]) -> tuple[bool, bool]:
    """(one cell holds all data, there is a label), from the first row with 2 bytes or more, or the first."""
    known = [row for row in rows if len(row) > 2 and row[2].isascii() and row[2].isdigit() and int(row[2][:4]) < 9]
    if not known:
        return False, False
    chosen = next((row for row in known if int(row[2]) > 1 and len(row) > 3), known[0])
    length, data = int(chosen[2]), chosen[3:]
    digits = re.sub(r"[^0-9a-fA-F]", "", data[0].removeprefix("0x")) if data else ""
    packed = length > 1 and len(data) <= 2 and len(digits) > 3
    if data and data[-1] in _FLAGS:
        return packed, True
    return packed, len(data) == 2 if packed else len(data) in (9, length + 1) and (length < 7 or len(data) == 9)


def _with_bases(draft: Layout, lines: Sequence[str]) -> Layout:
    identifiers, data = set(), set()
    for line in lines:
        try:
            row = draft.row(line)
        except ValueError:
            continue
        identifiers.add(row.identifier)
        data.update(row.data)
    plain = all(re.fullmatch(r"[0-9]{1,3}(\.0)?", text, re.ASCII) for text in data)
    decimal = plain and any(len(text.partition(".")[0]) == 3 or "." in text for text in data)
    numbers = [text for text in identifiers if re.fullmatch(r"0|[1-9][0-9]{0,9}", text, re.ASCII)]
    small = len(numbers) == len(identifiers) > 0
    above = any(int(text, 16) > LARGEST_STANDARD for text in numbers)
    fits = all(int(text) <= LARGEST_STANDARD for text in numbers)
    return Layout(
        draft.separator,
        draft.columns,
        draft.bytes_at,
        draft.packed,
        draft.labelled,
        draft.flags,
        Base(small and (decimal or (above and fits))),
        Base(decimal),
    )
