"""The file of the Volvo V40 traces, which is also what the injector writes: a table with a header,
`trace,timestamp,can_id,dlc,d0,d1,d2,d3,d4,d5,d6,d7,class`, all numbers decimal.

Cells past the DLC may be empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from ..frames import MOST_CLASSES, MOST_TRACES, NORMAL, Frames, Names, Traffic, collected
from .cells import LARGEST_EXTENDED, LARGEST_STANDARD, cells_of, name_of, separator_of
from .lines import Parsed, blocks_of, first_line, problem, seconds

__all__ = ["HEADER", "looks_like", "read", "write"]

HEADER = "trace,timestamp,can_id,dlc,d0,d1,d2,d3,d4,d5,d6,d7,class"
_COLUMNS = 13


def looks_like(line: str) -> bool:
    """Whether a first line is the header."""
    return re.sub(r"[ \"]", "", line).lower().replace(separator_of(line), ",") == HEADER


def read(path: Path) -> Traffic:
    """The frames of a table, by trace; InputError naming file and line."""
    classes, traces = Names("classes", MOST_CLASSES, (NORMAL,)), Names("traces", MOST_TRACES)
    frames = collected(_blocks(path, classes, traces), str(path))
    return Traffic(frames, classes.all, traces.all)


def write(traffic: Traffic, stream: TextIO) -> None:
    """Write a table that `read` reads back; times to the microsecond."""
    stream.write(HEADER + "\n")
    for frame in traffic.frames:
        data = ",".join(str(byte) if i < frame["length"] else "" for i, byte in enumerate(frame["data"]))
        trace, label = traffic.traces[frame["trace"]], traffic.classes[frame["label"]]
        stream.write(f"{trace},{frame['time']:.6f},{frame['identifier']},{frame['length']},{data},{label}\n")


def _blocks(path: Path, classes: Names, traces: Names) -> Iterator[Frames]:
    separator = separator_of(first_line(path))

    def parse(line: str) -> Parsed | None:
        if looks_like(line):
            return None
        cells = cells_of(line, separator)
        if len(cells) != _COLUMNS:
            raise ValueError(f"has {len(cells)} cells, expected {_COLUMNS}")
        trace, time, identifier, length, *data, label = cells
        size = _integer(length, 8, "dlc")
        if any(data[size:]) and any(cell not in ("", "0") for cell in data[size:]):
            raise ValueError(f"holds data past its dlc of {size}")
        number = _integer(identifier, LARGEST_EXTENDED, "can_id")
        content = bytes(_integer(cell, 255, "data byte") for cell in data[:size]).ljust(8, b"\0")
        extended = number > LARGEST_STANDARD
        label_number = classes.number(name_of(label, "class"), str(path))
        trace_number = traces.number(name_of(trace, "trace"), str(path))
        return seconds(time), number, extended, False, size, content, label_number, trace_number

    return blocks_of(path, parse)


def _integer(text: str, most: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > most:
        raise problem(text, f"a {what} in 0 … {most}")
    return int(text)
