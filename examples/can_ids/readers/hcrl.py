"""The files of HCRL's Car-Hacking data set, and what others made of them.

The attack files are `Timestamp, ID, DLC, DATA0 … DATA7, R|T`, all of them hexadecimal but for time and DLC, without a
header: `1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R`. A row with DLC < 8 is shorter, as published, or filled up
to eight bytes with empty cells or zeros. R is a regular frame, T an injected one; which attack the T frames are, the
file's name says (`DoS_dataset.csv`), or the user. Others have a header, other separators and labels: `columns.py`.

Labels are R or T, 0 or 1, normal or attack, or names of classes. **Without labels** all frames are of the class that
the user names, else of the attack that the file's name does, else normal.

The attack-free log is text: `Timestamp: 1479121434.850202        ID: 0350    000    DLC: 8    05 28 84 66 6d 00 00 a2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeml.errors import InputError

from ..frames import MOST_CLASSES, NORMAL, Frames, Names, Traffic, collected
from .cells import LARGEST_EXTENDED, LARGEST_STANDARD, Base, length_of, name_of
from .columns import Layout, header_of, layout_of, time_of
from .columns import looks_like as looks_like_columns
from .lines import Parsed, blocks_of, first_line, problem

__all__ = ["attack_of", "looks_like", "read"]

_TEXT = re.compile(r"Timestamp:\s*(\S+)\s+ID:\s*(\S+)\s+\S+\s+DLC:\s*(\S+)\s*(.*)", re.ASCII)
_ATTACKS = ("dos", "fuzzy", "fuzzing", "rpm", "gear", "malfunction", "flooding", "spoofing", "replay")
_NORMAL = ("r", "0", "0.0", "normal", "regular", "benign", "none", "false", "attack_free", "attack free")
_INJECTED = ("t", "1", "1.0", "attack", "injected", "anomaly", "malicious", "true")
_ZEROS = ("", "0", "00", "0x0", "0x00", "0.0", "000")
_HEXADECIMAL = Base(False)


def attack_of(path: Path) -> str:
    """What the injected frames of a file are called, by its name; InputError where that says nothing."""
    if attack := _in_name(path):
        return attack
    raise InputError(
        str(path),
        "holds injected frames (T), and its name does not say of which attack",
        "Name the attack with --attack, or give the file a name with dos, fuzzy, rpm or gear in it",
    )


def _in_name(path: Path) -> str:
    """The attack that a file's name holds, or nothing."""
    return next((attack for attack in _ATTACKS if attack in path.name.lower()), "")


def looks_like(line: str) -> bool:
    """Whether a first line is one of these files."""
    return _TEXT.fullmatch(line) is not None or looks_like_columns(line)


def read(path: Path, attack: str = "") -> Traffic:
    """The frames of a file, which is one trace; injected ones are of class `attack`, by default the file name's.

    Raises InputError naming file and line.
    """
    classes = Names("classes", MOST_CLASSES, (NORMAL,))
    blocks = _of_text if _TEXT.fullmatch(first_line(path)) else _of_columns
    return Traffic(collected(blocks(path, attack, classes), str(path)), classes.all, (path.name,))


def _of_text(path: Path, attack: str, classes: Names) -> Iterator[Frames]:
    label = classes.number(attack or _in_name(path) or NORMAL, str(path))

    def parse(line: str) -> Parsed:
        match = _TEXT.fullmatch(line)
        if match is None:
            raise problem(line, "Timestamp: seconds ID: identifier 000 DLC: length and data")
        time, identifier, length, data = match.groups()
        return _frame(time, identifier, length_of(length), data.split(), label, _HEXADECIMAL, _HEXADECIMAL)

    return blocks_of(path, parse)


def _of_columns(path: Path, attack: str, classes: Names) -> Iterator[Frames]:
    layout: Layout = layout_of(path)

    def label_of(text: str | None) -> int:
        if text is None:
            return classes.number(attack or _in_name(path) or NORMAL, str(path))
        word = text.lower()
        if word in _NORMAL:
            return 0
        name = (attack or attack_of(path)) if word in _INJECTED else name_of(word, "class")
        return classes.number(name, str(path))

    def parse(line: str) -> Parsed | None:
        if not line.lstrip('"')[:1].isdigit() and header_of(line) is not None:
            return None
        row = layout.row(line)
        label = label_of(row.label)
        return _frame(row.time, row.identifier, row.length, row.data, label, layout.identifiers, layout.data)

    return blocks_of(path, parse)


def _frame(
    time: str, identifier: str, length: int | None, data: list[str], label: int, identifiers: Base, base: Base
) -> Parsed:
    size = len(data) if length is None else length
    if len(data) < size or len(data) > 8:
        raise ValueError(f"DLC says {size} data bytes, the row has {len(data)}")
    if any(cell not in _ZEROS for cell in data[size:]):
        raise ValueError(f"holds data past its DLC of {size}")
    number = identifiers.number(identifier, LARGEST_EXTENDED, "ID")
    content = bytes(map(base.byte, data[:size])).ljust(8, b"\0")
    return time_of(time), number, number > LARGEST_STANDARD, False, size, content, label, 0
