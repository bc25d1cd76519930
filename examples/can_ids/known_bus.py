"""What the bus looked like that a detector was trained on, and a warning where another one does not.

A network says something of any traffic; of another car's it says nonsense, with confidence. At training the bus is
written down in integers, one row for each identifier of normal training traffic:

    frames    how many there were
    period    median of the time from one of its frames to the next, microseconds
    zeros     bits of the payload that were 0 at least once; `ones`: that were 1
    lengths   bit i: frames of i data bytes were seen

A block of frames that follow one another is held against that by four measures, in 1024ths. Those of which a block
holds 8 frames by the training traffic's shares are the **regular** identifiers; they count by their frames in training.

    unknown   of the identifiers that come 8 times or more, those that training did not see
    missing   regular identifiers that do not come
    payload   of the bits that never changed in training, those with the other value in over half of an identifier's
              frames (all its bits where over half have a length that training did not see)
    period    regular identifiers whose median period is less than half or more than twice that of training

None counts frames, so a flood, many frames of one identifier, moves them little, and fuzzing, few frames of many, too:
attacks are the detector's part.
A measure's limit is the most that a block of validation traffic reached (attacks included), and a quarter of 1024 more.
Of `payload` it is 180 more: trained on 15 seconds, the same car reached 122 in another minute of its drive, while
identifiers that trade their payloads reach 365 and more, bytes that trade their places 253.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.system.regular_file import read_regular

from .frames import EXTENDED, Frames, Traffic, keys_of
from .windows import pieces_of

__all__ = ["KNOWN_BUS", "Found", "Identifier", "KnownBus", "Watch", "known_bus_of", "watched"]

KNOWN_BUS = "known_bus.json"
MEASURES = ("unknown", "missing", "payload", "period")
_BLOCK, _SHORTEST_BLOCK = 1024, 64
_REGULAR = 8
_MARGINS, _HIGHEST_LIMIT = (256, 256, 180, 256), 960
_MOST_IDENTIFIERS = 4096
_MOST_BYTES = 2**20
_ALL = 2**64 - 1
_NAMED = 3


class Identifier(NamedTuple):
    """A row of the table above; `key` is the identifier, plus 2^31 where it is one of 29 bits."""

    key: int
    frames: int
    period: int
    zeros: int
    ones: int
    lengths: int


_MOST = Identifier(EXTENDED + 0x1FFF_FFFF, 2**40, 2**50, _ALL, _ALL, 511)


class Found(NamedTuple):
    """One measure of a block: 1024ths, and identifiers that it is about, the first few by number."""

    share: int
    keys: tuple[int, ...]


@dataclass(frozen=True)
class KnownBus:
    """The bus of the training traffic.

    Parameters
    ----------
    block : frames of a block.
    limits : for each of MEASURES, the most 1024ths at which a bus still looks like this one.
    identifiers : rows of the table above, each key once.
    """

    block: int
    limits: tuple[int, ...]
    identifiers: tuple[Identifier, ...]

    def __post_init__(self) -> None:
        _whole(self.block, _SHORTEST_BLOCK, _BLOCK, "block")
        if len(self.limits) != len(MEASURES) or not 0 < len(self.identifiers) <= _MOST_IDENTIFIERS:
            raise InputError("known bus", f"has {len(self.limits)} limits and {len(self.identifiers)} identifiers")
        for limit in self.limits:
            _whole(limit, 0, 1024, "limits")
        for each in self.identifiers:
            for name, value, most in zip(Identifier._fields, each, _MOST, strict=True):
                _whole(value, 0, most, f"identifiers, {name}")
        if len({each.key for each in self.identifiers}) < len(self.identifiers):
            raise InputError("known bus, identifiers", "has an identifier twice")

    def measures(self, frames: Frames) -> tuple[Found, ...]:
        """The measures of a block, in the order of MEASURES."""
        known = {each.key: each for each in self.identifiers}
        rows, parts = keys_of(frames), dict[int, Frames]()
        order = np.argsort(rows, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
            parts[int(rows[part[0]])] = frames[part]
        often = [key for key, part in parts.items() if len(part) >= _REGULAR]
        unknown = tuple(key for key in often if key not in known)
        total = sum(each.frames for each in self.identifiers)
        regular = [each for each in self.identifiers if each.frames * len(frames) >= _REGULAR * total]
        weight = max(1, sum(each.frames for each in regular))

        def of(share: Callable[[Identifier, Frames | None], int]) -> Found:
            """Share of the regular identifiers, by frames, of which each says its own share."""
            found = [(each, share(each, parts.get(each.key))) for each in regular]
            named = tuple(each.key for each, own in found if own > 256)
            return Found(sum(each.frames * own for each, own in found) // weight, named[:_NAMED])

        missing = of(lambda _, part: 1024 * (part is None))
        return (
            Found(1024 * len(unknown) // max(1, len(often)), unknown[:_NAMED]),
            missing,
            of(_other_payload),
            of(_other_period),
        )

    def save(self, path: Path) -> None:
        """Write as JSON."""
        document = {
            "block": self.block,
            "limits": dict(zip(MEASURES, self.limits, strict=True)),
            "columns": Identifier._fields,
            "identifiers": self.identifiers,
        }
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> KnownBus:
        """Read what `save` wrote; InputError where it is not that."""
        text = read_regular(path, _MOST_BYTES, remedy="Run train first")
        try:
            found = json.loads(text)
            limits = tuple(found["limits"][name] for name in MEASURES)
            return cls(found["block"], limits, tuple(Identifier(*row) for row in found["identifiers"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(str(path), "is not what train writes: block, limits and identifiers of a bus") from error


def _whole(value: object, least: int, most: int, what: str) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"known bus, {what}", f"must be a whole number in {least} … {most}, found {value!r:.40}")


def _payloads(frames: Frames) -> npt.NDArray[np.uint64]:
    words: npt.NDArray[np.uint64] = np.ascontiguousarray(frames["data"]).view(">u8").ravel().astype(np.uint64)
    return words


def _microseconds(frames: Frames) -> npt.NDArray[np.int64]:
    times: npt.NDArray[np.int64] = np.rint(frames["time"] * 1e6).astype(np.int64)
    return times


def _other_payload(each: Identifier, frames: Frames | None) -> int:
    """1024ths of the constant bits of an identifier that have the other value in most of its frames."""
    if frames is None:
        return 0
    half = len(frames) / 2
    if np.sum((each.lengths >> frames["length"].astype(np.int64)) & 1 == 0) > half:
        return 1024
    words = _payloads(frames)
    other = (words & np.uint64(_ALL ^ each.ones)) | (~words & np.uint64(_ALL ^ each.zeros))
    bits = np.unpackbits(other.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=0)
    constant = 64 - (each.ones & each.zeros).bit_count()
    return 1024 * int(np.sum(bits > half)) // max(1, constant)


def _other_period(each: Identifier, frames: Frames | None) -> int:
    """1024 where the median period is another one."""
    if frames is None or len(frames) < 3 or not each.period:
        return 0
    period = int(np.median(np.diff(_microseconds(frames))))
    return 0 if each.period <= 2 * period <= 4 * each.period else 1024


def known_bus_of(traffic: Traffic, held_back: float) -> KnownBus:
    """The bus of a log without the time held back for testing, of which the last fifth sets the limits; as in
    `windows.py`, time held back in one trace is held back in all. InputError where no normal frame is left."""
    training, checked = ([traffic.frames[part] for part in parts] for parts in pieces_of(traffic, held_back)[:2])
    pieces = [frames[frames["label"] == 0] for frames in training]
    frames = np.concatenate(pieces) if pieces else traffic.frames[:0]
    if not len(frames):
        raise InputError("the log", "leaves no normal frame for training", "Take a longer log")
    keys, number, counts = np.unique(keys_of(frames), return_inverse=True, return_counts=True)
    words, lengths = _payloads(frames), np.left_shift(1, frames["length"].astype(np.int64))
    zeros, ones = np.zeros((2, len(keys)), np.uint64)
    seen = np.zeros(len(keys), np.int64)
    for total, values in ((zeros, ~words), (ones, words), (seen, lengths)):
        np.bitwise_or.at(total, number, values)
    periods = _periods(pieces)
    rows = [
        Identifier(*(int(value) for value in row))
        for row in zip(keys, counts, [periods.get(int(key), 0) for key in keys], zeros, ones, seen, strict=True)
    ]
    rows = sorted(rows, key=lambda each: (-each.frames, each.key))[:_MOST_IDENTIFIERS]
    block = min(_BLOCK, max(_SHORTEST_BLOCK, sum(map(len, checked)) // 4))
    draft = KnownBus(block, (0,) * len(MEASURES), tuple(rows))
    blocks = [piece[at : at + block] for piece in checked for at in range(0, len(piece) - block + 1, block)]
    reached = np.array([[found.share for found in draft.measures(each)] for each in blocks]).reshape(-1, len(MEASURES))
    limits = np.minimum(reached.max(axis=0, initial=0) + _MARGINS, _HIGHEST_LIMIT)
    return KnownBus(block, tuple(int(limit) for limit in limits), tuple(rows))


def _periods(pieces: list[Frames]) -> dict[int, int]:
    """Median time from one frame of an identifier to the next, microseconds."""
    keys, gaps = [], []
    for piece in pieces:
        order = np.argsort(keys_of(piece), kind="stable")
        key = keys_of(piece)[order]
        same = np.diff(key) == 0
        keys.append(key[1:][same])
        gaps.append(np.diff(_microseconds(piece)[order])[same])
    key, gap = np.concatenate(keys), np.concatenate(gaps)
    order = np.argsort(key, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
    return {int(key[part[0]]): int(np.median(gap[part])) for part in parts if len(part)}


class Watch:
    """Holds traffic against a known bus, block by block, and tells when what is to be said of it changes.

    The first block speaks for itself; later two blocks in a row must differ from what was said last.
    """

    def __init__(self, known: KnownBus) -> None:
        self._known, self._frames = known, list[Frames]()
        self._said: tuple[str, ...] | None = None
        self._others = 0

    @property
    def strange(self) -> bool:
        """Whether the bus does not look like the known one, by what was said last."""
        return bool(self._said)

    def see(self, frame: Frames) -> str | None:
        """Take the next frame, FRAME [1]; a sentence if it completes a block that changes what is to be said."""
        self._frames.append(frame)
        return self._judge() if len(self._frames) == self._known.block else None

    def finish(self) -> str | None:
        """At the end of traffic too short for a block: what is to be said of what there was of it."""
        return self._judge() if self._said is None and len(self._frames) >= _SHORTEST_BLOCK else None

    def _judge(self) -> str | None:
        frames, self._frames = np.concatenate(self._frames), []
        measures = dict(zip(MEASURES, self._known.measures(frames), strict=True))
        limits = dict(zip(MEASURES, self._known.limits, strict=True))
        # A reason stands until its measure has fallen to half its limit.
        reasons = tuple(n for n in MEASURES if measures[n].share > limits[n] / (1 + (n in (self._said or ()))))
        self._others = 0 if reasons == self._said else self._others + 1
        first = self._said is None
        if not self._others or (self._others == 1 and not first):
            return None
        self._said, self._others = reasons, 0
        if not reasons:
            return None if first else "the bus looks like the one that the detector was trained on"
        because = "; ".join(_said_of(name, measures[name], limits[name]) for name in reasons)
        return f"the bus does not look like the one that the detector was trained on: {because}"


def _said_of(name: str, found: Found, limit: int) -> str:
    words = {
        "unknown": "of its identifiers were not seen in training",
        "missing": "of the training traffic's identifiers, by frames, do not come",
        "payload": "of the payload bits that never changed in training have the other value",
        "period": "of the identifiers, by frames, come twice as often or half as often as in training",
    }[name]
    names = ", ".join(f"{key & ~EXTENDED:0{8 if key & EXTENDED else 3}X}" for key in found.keys)
    return f"{found.share / 1024:.0%} {words} ({names} …; at most {limit / 1024:.0%} is as trained)"


def watched(frames: Iterator[Frames], watch: Watch, warn: Callable[[str], None]) -> Iterator[Frames]:
    """The same frames, one by one; `warn` is told what `watch` says of them."""
    for frame in frames:
        if said := watch.see(frame):
            warn(said)
        yield frame
    if said := watch.finish():
        warn(said)
