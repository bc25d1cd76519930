"""Frames from a serial line."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from .. import mutators
from .reader import Reader


def _frame_seeds() -> list[bytes]:
    hello = struct.pack("<BI", 129, 1) + b"\0" + struct.pack("<HB32sIIIHI", 1, 1, bytes(32), 4, 2, 9, 16, 10**6)
    return [hello + b"\x09quantized\x05small", struct.pack("<BI", 130, 2) + b"\0" + bytes(28), struct.pack("<BI", 3, 1)]


def _read_frames(path: Path) -> Any:
    from edgeml.hil.frames import FrameReader, _encode
    from edgeml.hil.messages import parse_answer, parse_hello

    content = path.read_bytes()
    reader = FrameReader(4096)
    for payload in [*reader.feed(_encode(content) + b"\0"), *reader.feed(content)]:
        answer = parse_answer(payload)
        if answer is not None:
            parse_hello(answer.checked("device"), "device")


READERS: dict[str, Reader] = {
    "frames": Reader("bin", _frame_seeds, mutators.frames, _read_frames),
}
