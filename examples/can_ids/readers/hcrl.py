"""The files of HCRL's Car-Hacking data set.

The attack files are `Timestamp, ID, DLC, DATA0 … DATA7, R|T`, all of them hexadecimal but for time and DLC, without a
header: `1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R`. A row with DLC < 8 is shorter, as published, or padded
with empty cells, as spreadsheets leave it. R is a regular frame, T an injected one; which attack the T frames are, the
file's name says (`DoS_dataset.csv`), or the user.

The attack-free log is text: `Timestamp: 1479121434.850202        ID: 0350    000    DLC: 8    05 28 84 66 6d 00 00 a2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeml.errors import InputError

from ..frames import MOST_CLASSES, NORMAL, Frames, Names, Traffic, collected
from .lines import Parsed, blocks_of, hexadecimal, problem, seconds

__all__ = ["attack_of", "looks_like", "read"]

_LARGEST_STANDARD = 0x7FF
_LARGEST_EXTENDED = 0x1FFF_FFFF
_TEXT = re.compile(r"Timestamp:\s*(\S+)\s+ID:\s*(\S+)\s+\S+\s+DLC:\s*(\S+)\s*(.*)", re.ASCII)
_HEADER = re.compile(r"timestamp\s*,\s*(can[ _]?)?id\s*,\s*dlc\b.*", re.IGNORECASE | re.ASCII)
_ATTACKS = (("dos", "dos"), ("fuzzy", "fuzzy"), ("rpm", "rpm"), ("gear", "gear"), ("malfunction", "malfunction"))


def attack_of(path: Path) -> str:
    """What the injected frames of a file are called, by its name; InputError where that says nothing."""
    for part, attack in _ATTACKS:
        if part in path.name.lower():
            return attack
    raise InputError(
        str(path),
        "holds injected frames (T), and its name does not say of which attack",
        "Name the attack with --attack, or give the file a name with dos, fuzzy, rpm or gear in it",
    )


def looks_like(line: str) -> bool:
    """Whether a first line is one of these files."""
    if _TEXT.fullmatch(line) or _HEADER.fullmatch(line):
        return True
    cells = line.split(",")
    return 4 <= len(cells) <= 12 and any(cell.strip() in ("R", "T") for cell in cells[3:])


def read(path: Path, attack: str = "") -> Traffic:
    """The frames of a file, which is one trace; injected ones are of class `attack`, by default the file name's.

    Raises InputError naming file and line.
    """
    classes = Names("classes", MOST_CLASSES, (NORMAL,))
    frames = collected(_blocks(path, attack, classes), str(path))
    return Traffic(frames, classes.all, (path.name,))


def _blocks(path: Path, attack: str, classes: Names) -> Iterator[Frames]:
    def parse(line: str) -> Parsed | None:
        match = _TEXT.fullmatch(line)
        if match is not None:
            time, identifier, length, data = match.groups()
            return _frame(time, identifier, length, data.split(), 0)
        if _HEADER.fullmatch(line):
            return None
        cells = [cell.strip() for cell in line.split(",")]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) < 4 or cells[-1] not in ("R", "T"):
            raise problem(line, "Timestamp, ID, DLC, DATA0 … DATA7, R or T")
        time, identifier, length, *data = cells[:-1]
        while data and not data[-1]:
            data.pop()
        injected = cells[-1] == "T"
        label = classes.number(attack or attack_of(path), str(path)) if injected else 0
        return _frame(time, identifier, length, data, label)

    return blocks_of(path, parse)


def _frame(time: str, identifier: str, length: str, data: list[str], label: int) -> Parsed:
    if length not in ("0", "1", "2", "3", "4", "5", "6", "7", "8"):
        raise problem(length, "a DLC of 0 … 8")
    if len(data) != int(length):
        raise ValueError(f"DLC says {length} data bytes, the row has {len(data)}")
    number = hexadecimal(identifier, _LARGEST_EXTENDED, "ID")
    content = bytes(hexadecimal(cell, 255, "data byte") for cell in data).ljust(8, b"\0")
    return seconds(time), number, number > _LARGEST_STANDARD, False, len(data), content, label, 0
