"""Lines of a log, streamed: bounded in length, plain or gzip, with the place of each for messages."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edgeml.errors import InputError, printable

from ..frames import FRAME, MOST_FRAMES, Frames

__all__ = ["LONGEST_LINE", "Parsed", "blocks_of", "first_line", "hexadecimal", "lines_of", "problem", "seconds"]

LONGEST_LINE = 1024
_MOST_LINES = 2 * MOST_FRAMES
_FRAMES_A_BLOCK = 65_536
_LATEST = 1e11
"""Seconds; later times are none, and microseconds would be lost in float64."""
_TIME = re.compile(r"[0-9]{1,11}(\.[0-9]{0,30})?(e-[0-9]{1,3})?", re.IGNORECASE | re.ASCII)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,16}", re.ASCII)

Parsed = tuple[float, int, bool, bool, int, bytes, int, int]
"""Time, identifier, extended, remote, length, data (8 bytes), label, trace."""


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """(line number, text without its end) of every line that is not blank; a name in `.gz` is unpacked on the way, a
    byte order mark (UTF-8) left out.

    Raises InputError naming the file, and the line where there is one: unreadable, longer than LONGEST_LINE, not ASCII.
    """
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                if number > _MOST_LINES:
                    raise InputError(str(path), f"has more than {_MOST_LINES} lines", "Read a part of the log")
                if len(line) > LONGEST_LINE:
                    raise InputError(f"{path}, line {number}", f"is longer than {LONGEST_LINE} bytes: no CAN log")
                if not line.isascii():
                    raise InputError(f"{path}, line {number}", "holds bytes that are not ASCII: no CAN log")
                # A tab at either end parts empty cells.
                if (text := line.decode("ascii").strip("\r\n ")) and not text.isspace():
                    yield number, text
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}, line {number + 1}", f"the gzip stream is damaged ({error})") from error
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})") from error


def first_line(path: Path) -> str:
    """The first line that is not blank; InputError where there is none."""
    for _, text in lines_of(path):
        return text
    raise InputError(str(path), "is empty")


def blocks_of(path: Path, parse: Callable[[str], Parsed | None]) -> Iterator[Frames]:
    """The frames of a log in blocks, so that no more than a block is held as Python objects.

    `parse` reads one line (None: a line that holds no frame) and raises ValueError saying what is wrong with it.
    Times must not fall within a trace: an InputError names the line where they do.
    """
    rows: list[Parsed] = []
    latest: dict[int, float] = {}
    for number, text in lines_of(path):
        try:
            row = parse(text)
            if row is None:
                continue
            if row[0] < latest.get(row[7], 0.0):
                raise ValueError(f"time {row[0]:.6f} lies before {latest[row[7]]:.6f}, the frame's before it")
        except ValueError as error:
            raise InputError(f"{path}, line {number}", f"{error}: {printable(text, 60)}") from None
        latest[row[7]] = row[0]
        rows.append(row)
        if len(rows) == _FRAMES_A_BLOCK:
            yield _block(rows)
            rows = []
    if rows:
        yield _block(rows)


def _block(rows: list[Parsed]) -> Frames:
    block = np.zeros(len(rows), FRAME)
    columns = list(zip(*rows, strict=True))
    for name, column in zip(("time", "identifier", "extended", "remote", "length"), columns[:5], strict=True):
        block[name] = column
    block["data"] = np.frombuffer(b"".join(columns[5]), np.uint8).reshape(-1, 8)
    block["label"], block["trace"] = columns[6], columns[7]
    return block


def seconds(text: str) -> float:
    """A time in seconds; ValueError where it is none (signs, infinities and NaN are not)."""
    if not _TIME.fullmatch(text) or float(text) > _LATEST:
        raise ValueError(f"{printable(text, 30)!r} is not a time in seconds")
    return float(text)


def hexadecimal(text: str, most: int, what: str) -> int:
    """A number in base 16 of at most `most`; ValueError naming `what` where it is none."""
    if not _HEXADECIMAL.fullmatch(text) or int(text, 16) > most:
        raise ValueError(f"{what} {printable(text, 30)!r} is not a hexadecimal number up to {most:X}")
    return int(text, 16)


def problem(found: object, expected: str) -> ValueError:
    """What a parser raises: what it found and what it wanted."""
    return ValueError(f"found {printable(found, 40)!r}, expected {expected}")
