"""The log of SocketCAN's `candump -l`: `(1436509052.249713) can0 044#2A366C2BBA`.

An identifier of 3 digits is standard (11 bits), one of 8 extended (29 bits). `044#R` or `044#R5` is a remote frame: it
has a length and no data. CAN FD (`##`), CAN XL (`#` after a longer head) and error frames are refused by name: a window
of classic frames has no place for 64 data bytes, and an error frame is a report of the controller, not traffic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..frames import MOST_CLASSES, MOST_TRACES, NORMAL, Frames, Names, Traffic, collected
from .lines import Parsed, blocks_of, hexadecimal, problem, seconds

__all__ = ["looks_like", "read"]

_LINE = re.compile(r"\(([^()\s]+)\)\s+(\S+)\s+([0-9A-Fa-f]+)#(\S*)(?:\s+[TR])?", re.ASCII)
_ERROR_FRAME = 0x2000_0000
_LARGEST_STANDARD = 0x7FF
_LARGEST_EXTENDED = 0x1FFF_FFFF


def looks_like(line: str) -> bool:
    """Whether a first line is one of a candump log."""
    return line.startswith("(") and "#" in line


def read(path: Path, label: str = NORMAL) -> Traffic:
    """The frames of a log; every interface (can0, can1 …) is a trace, every frame of class `label`.

    Raises InputError naming file and line.
    """
    classes, traces = Names("classes", MOST_CLASSES, (NORMAL,)), Names("interfaces", MOST_TRACES)
    number = classes.number(label, str(path))
    frames = collected(_blocks(path, number, traces), str(path))
    return Traffic(frames, classes.all, tuple(f"{path.name}:{name}" for name in traces.all))


def _blocks(path: Path, label: int, traces: Names) -> Iterator[Frames]:
    def parse(line: str) -> Parsed:
        match = _LINE.fullmatch(line)
        if match is None:
            raise problem(line, "(seconds) interface IDENTIFIER#DATA")
        time, interface, identifier, body = match.groups()
        if body.startswith("#"):
            raise ValueError("is a CAN FD frame; windows are made of classic frames of up to 8 bytes")
        number, extended = _identifier(identifier)
        remote, length, data = _body(body)
        return seconds(time), number, extended, remote, length, data, label, traces.number(interface, str(path))

    return blocks_of(path, parse)


def _identifier(text: str) -> tuple[int, bool]:
    if len(text) == 3:
        return hexadecimal(text, _LARGEST_STANDARD, "identifier"), False
    if len(text) != 8:
        raise ValueError(f"identifier {text[:20]!r} has neither 3 nor 8 digits")
    if int(text, 16) & _ERROR_FRAME:
        raise ValueError("is an error frame: a report of the CAN controller, not traffic; leave such lines out")
    return hexadecimal(text, _LARGEST_EXTENDED, "identifier"), True


def _body(text: str) -> tuple[bool, int, bytes]:
    """Whether it is a remote frame, its length, its data."""
    if text[:1] in ("R", "r"):
        if len(text) > 2 or (len(text) == 2 and text[1] not in "012345678"):
            raise problem(text, "R or R0 … R8")
        return True, int(text[1:] or 0), bytes(8)
    # candump may write a dot between bytes, and `_` with a digit after 8 bytes for a length code above 8.
    text = re.sub(r"_[9A-Fa-f]$", "", text, flags=re.ASCII).replace(".", "")
    if len(text) % 2 or len(text) > 16:
        raise problem(text, "0 to 8 data bytes of two digits")
    if text:
        hexadecimal(text, 2**64 - 1, "data")
    data = bytes.fromhex(text)
    return False, len(data), data.ljust(8, b"\0")
