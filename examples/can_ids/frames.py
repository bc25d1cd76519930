"""What every reader gives: CAN frames as one record array, and the names of their classes and traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

__all__ = [
    "EXTENDED",
    "FRAME",
    "MOST_CLASSES",
    "MOST_FRAMES",
    "MOST_TRACES",
    "NORMAL",
    "Frames",
    "Traffic",
    "concatenate",
    "keys_of",
]

NORMAL = "normal"
MOST_CLASSES = 64
MOST_TRACES = 256
MOST_FRAMES = 50_000_000
"""Frames that are read into memory at most (1.6 GB)."""

FRAME = np.dtype(
    [
        ("time", np.float64),
        ("identifier", np.uint32),
        ("extended", np.bool_),
        ("remote", np.bool_),
        ("length", np.uint8),
        ("data", np.uint8, (8,)),
        ("label", np.uint8),
        ("trace", np.uint8),
    ]
)
"""One classic CAN frame: seconds, 11- or 29-bit identifier, data length, data bytes (those past `length` are 0),
index of its class, index of the trace it belongs to."""

Frames = npt.NDArray[np.void]


@dataclass(frozen=True, eq=False)
class Traffic:
    """Frames with the names that their labels and traces stand for.

    Parameters
    ----------
    frames : FRAME [frames], in the order of the log; times never fall within a trace.
    classes : name of class i, for `frames["label"]`; the first is `normal`.
    traces : name of trace i, for `frames["trace"]`. Equal times of two traces are taken for the same moment.
    """

    frames: Frames
    classes: tuple[str, ...]
    traces: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def trace(self, index: int) -> Frames:
        """The frames of one trace."""
        found: Frames = self.frames[self.frames["trace"] == index]
        return found

    def counts(self) -> dict[str, int]:
        """Frames of each class."""
        numbers = np.bincount(self.frames["label"], minlength=len(self.classes))
        return {name: int(number) for name, number in zip(self.classes, numbers, strict=True)}


EXTENDED = 1 << 31
"""Added to an identifier of 29 bits: what tells it from one of 11."""


def keys_of(frames: Frames) -> npt.NDArray[np.int64]:
    """The identifier of each frame as one number, by `EXTENDED`."""
    keys: npt.NDArray[np.int64] = frames["identifier"].astype(np.int64) + EXTENDED * frames["extended"]
    return keys


class Names:
    """Names numbered in the order in which they appear, at most so many."""

    def __init__(self, what: str, most: int, first: Iterable[str] = ()) -> None:
        self._what, self._most = what, most
        self._numbers = {name: number for number, name in enumerate(first)}

    def number(self, name: str, where: str) -> int:
        """The number of `name`; InputError naming `where` if it is one too many."""
        known = self._numbers.get(name)
        if known is not None:
            return known
        if len(self._numbers) >= self._most:
            raise InputError(where, f"has more than {self._most} different {self._what}")
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def all(self) -> tuple[str, ...]:
        """The names by number."""
        return tuple(self._numbers)


def collected(blocks: Iterator[Frames], where: str, most: int = MOST_FRAMES) -> Frames:
    """All blocks as one array; InputError where they hold more than `most` frames or none."""
    parts, total = [], 0
    for block in blocks:
        total += len(block)
        if total > most:
            raise InputError(where, f"holds more than {most} frames", "Read a part of the log")
        parts.append(block)
    if not total:
        raise InputError(where, "holds no frames")
    return np.concatenate(parts)


def concatenate(parts: Iterable[Traffic]) -> Traffic:
    """Several logs as one: classes of the same name are one class, every log's traces stay apart."""
    classes = Names("classes", MOST_CLASSES, (NORMAL,))
    traces: list[str] = []
    frames = []
    for part in parts:
        renumbered = part.frames.copy()
        numbers = np.array([classes.number(name, "the logs together") for name in part.classes], np.uint8)
        renumbered["label"] = numbers[part.frames["label"]]
        if len(traces) + len(part.traces) > MOST_TRACES:
            raise InputError("the logs together", f"have more than {MOST_TRACES} traces")
        renumbered["trace"] = part.frames["trace"] + np.uint8(len(traces))
        traces += part.traces
        frames.append(renumbered)
    if sum(len(each) for each in frames) > MOST_FRAMES:
        raise InputError("the logs together", f"hold more than {MOST_FRAMES} frames")
    return Traffic(np.concatenate(frames), classes.all, tuple(traces))
