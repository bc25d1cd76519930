"""What each identifier does on a bus as a rule, learned from normal training traffic and kept in integers.

Two things that a replayed frame gets wrong, though it was a true frame once:

**Company.** A control unit sends its frames together, so those of most identifiers follow those of a few others.
Learned is, for every pair of identifiers, how many frames of the one came right behind a frame of the other.

**Steps.** From one frame of an identifier to its next a counter goes one on, a slow signal keeps its upper bits, a
constant stays. Learned is, for each of the 16 nibbles of the payload (the highest first), how often each step came: the
difference of the two nibbles modulo 16.

A step is **usual** if it was at least one in 2048 of those of its nibble, a pair if it was at least one in 2048 of the
frames of its identifier, and **frequent** if it was one in 64. Of 50 identifiers that is 2,225 bytes: 2 bits a pair,
1 a step. `Habits.unusual` gives the network one byte for a frame:

    bit 0, 1   the frame before is not of usual company; not of frequent company
    bit 2      neither is the one before that (behind an injected frame, a true one follows a usual one but one)
    bit 3, 4   1 and more, 3 and more nibbles took an unusual step from the last payload of the identifier
    bit 5 … 7  1, 2, 4 and more did, from the last payload and also from the last but one (behind an injected frame, a
               true one takes usual steps from the true one before it)

All are set for an identifier that training did not see; at its first frame there is no step, at the bus's no company.

**For training** a frame is held against what other moments taught: `Counts` keeps five folds apart, blocks of 4 seconds
in turn. Held against its own moment nothing is unusual, and a network would take what is for a certain sign. With
blocks of 4 seconds 2.0 % of the Volvo's normal training frames are in unusual company, as of its validation frames;
with blocks of 2 seconds 0.6 % are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.system.regular_file import read_regular

from .frames import FRAME, Frames, keys_of

__all__ = ["COMPANY", "HABITS", "MOST_IDENTIFIERS", "Counts", "Habits"]

HABITS = "habits.json"
MOST_IDENTIFIERS = 256
NIBBLES = 16
COMPANY = 0b111
"""Bits of `Habits.unusual` that tell of company."""
_USUAL, _FREQUENT = 2048, 64
_MOST_BYTES = 2**20
_HIGH = 0x8888_8888_8888_8888


@dataclass(frozen=True)
class Habits:
    """What is usual.

    Parameters
    ----------
    keys : identifiers, 29-bit ones plus 2^31; each once.
    company : [n][n]; company[i][j] says of frames of i right behind one of j: 0 unusual, 1 usual, 2 frequent.
    steps : [n][16]; bit d of steps[i][k] says that step d of nibble k of i is usual.
    """

    keys: tuple[int, ...]
    company: tuple[bytes, ...]
    steps: tuple[tuple[int, ...], ...]
    _row: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        number = len(self.keys)
        fits = (
            number <= MOST_IDENTIFIERS
            and len({*self.keys}) == number == len(self.company) == len(self.steps)
            and all(type(key) is int and 0 <= key < 1 << 32 for key in self.keys)
            and all(len(row) == number and max(row) <= 2 for row in self.company)
            and all(len(row) == NIBBLES for row in self.steps)
            and all(type(each) is int and 0 <= each < 1 << 16 for row in self.steps for each in row)
        )
        if not fits:
            raise InputError("habits", "are not those of at most 256 identifiers", "Run train again")
        object.__setattr__(self, "_row", {key: row for row, key in enumerate(self.keys)})

    def unusual(self, key: int, behind: tuple[int, int], payload: int, earlier: tuple[int, int] | None) -> int:
        """The byte above.

        `behind`: identifiers of the frame right before it and of the one before that, −1 where there was none;
        `earlier`: payloads of the last frame of its identifier and of the one before, None at its first.
        """
        row = self._row.get(key)
        if row is None:
            return 255
        company, rows = self.company[row], self._row
        last, before = (company[rows[other]] if other in rows else 2 * (other < 0) for other in behind)
        from_last, from_before = (self._unusual_steps(row, payload, then) for then in earlier) if earlier else (0, 0)
        least = min(from_last, from_before)
        flags = (
            last == 0,
            last < 2,
            last == before == 0,
            from_last > 0,
            from_last > 2,
            least > 0,
            least > 1,
            least > 3,
        )
        return sum(flag << place for place, flag in enumerate(flags))

    def _unusual_steps(self, row: int, payload: int, then: int) -> int:
        # Sixteen differences modulo 16 at once: the upper bit of each nibble keeps borrows from the next.
        difference = ((payload | _HIGH) - (then & ~_HIGH)) ^ ((payload ^ ~then) & _HIGH)
        found = 0
        for usual in reversed(self.steps[row]):
            found += not usual >> (difference & 15) & 1
            difference >>= 4
        return found

    def save(self, path: Path) -> None:
        """Write as JSON."""
        company = ["".join(map(str, row)) for row in self.company]
        document = {"keys": self.keys, "company": company, "steps": self.steps}
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Habits:
        """Read what `save` wrote; InputError where it is not that."""
        text = read_regular(path, _MOST_BYTES, remedy="Run train first")
        try:
            found = json.loads(text)
            company = tuple(bytes(map(int, row)) for row in found["company"])
            return cls(tuple(found["keys"]), company, tuple(tuple(row) for row in found["steps"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(str(path), "is not what train writes: keys, company and steps") from error


class Counts:
    """How often each pair of identifiers and each step came in normal traffic, apart for every fold of its time."""

    FOLDS = 5
    _LONGEST_BLOCK = 4.0

    def __init__(self, pieces: list[Frames]) -> None:
        """`pieces` of training traffic: frames that follow one another on one bus. Moments that several share count
        once. Blocks are of 4 seconds, of a tenth of all the time where that is less."""
        normal = [frames[frames["label"] == 0] for frames in pieces] or [np.empty(0, FRAME)]
        keys, counts = np.unique(np.concatenate([keys_of(frames) for frames in normal]), return_counts=True)
        self.keys = np.sort(keys[np.argsort(-counts, kind="stable")[:MOST_IDENTIFIERS]])
        seconds = sum(float(frames["time"][-1] - frames["time"][0]) for frames in normal if len(frames))
        self.block = min(self._LONGEST_BLOCK, seconds / 10) or self._LONGEST_BLOCK
        number = len(self.keys)
        self.company = np.zeros((self.FOLDS, number, number), np.int64)
        self.steps = np.zeros((self.FOLDS, number, NIBBLES, 16), np.int64)
        self._count_company(pieces)
        self._count_steps(normal)

    def fold(self, time: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Fold of each moment."""
        folds: npt.NDArray[np.int64] = (np.floor(time / self.block) % self.FOLDS).astype(np.int64)
        return folds

    def habits(self, without: int | None = None) -> Habits:
        """What is usual in all folds, or in all but one."""
        company, steps = (
            counts.sum(axis=0) - (0 if without is None else counts[without]) for counts in (self.company, self.steps)
        )
        frames = company.sum(axis=1, keepdims=True)
        levels = (_at_least(company, frames, _USUAL).astype(np.uint8) + _at_least(company, frames, _FREQUENT)).astype(
            np.uint8
        )
        usual = _at_least(steps, steps.sum(axis=2, keepdims=True), _USUAL)
        masks = usual @ (1 << np.arange(16))
        return Habits(
            tuple(self.keys.tolist()), tuple(row.tobytes() for row in levels), tuple(map(tuple, masks.tolist()))
        )

    def _count_company(self, pieces: list[Frames]) -> None:
        pairs = []
        for frames in pieces:
            row = self._rows(frames)
            now = np.flatnonzero((row[1:] >= 0) & (row[:-1] >= 0)) + 1
            pairs.append(_moments(row[now], row[now - 1], frames["time"][now], frames["time"][now - 1]))
        found = np.unique(np.concatenate(pairs))
        np.add.at(self.company, (self.fold(found["time"]), found["row"], found["other"]), 1)

    def _count_steps(self, normal: list[Frames]) -> None:
        moments, steps = [], []
        for frames in normal:
            row = self._rows(frames)
            order = np.argsort(row, kind="stable")
            same = np.flatnonzero((np.diff(row[order]) == 0) & (row[order[1:]] >= 0))
            then, now = order[same], order[same + 1]
            moments.append(_moments(row[now], row[now], frames["time"][now], frames["time"][then]))
            steps.append((_nibbles(frames[now]) - _nibbles(frames[then])) & 15)
        found, first = np.unique(np.concatenate(moments), return_index=True)
        step = np.concatenate(steps)[first]
        np.add.at(self.steps, (self.fold(found["time"])[:, None], found["row"][:, None], np.arange(NIBBLES), step), 1)

    def _rows(self, frames: Frames) -> npt.NDArray[np.int64]:
        """The row of each frame's identifier; −1 where it has none or the frame is injected."""
        keys = keys_of(frames)
        if not len(self.keys):
            return np.full(len(keys), -1)
        row = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where((self.keys[row] == keys) & (frames["label"] == 0), row, -1)


_MOMENT = np.dtype([("row", np.int64), ("other", np.int64), ("time", np.float64), ("earlier", np.float64)])


def _moments(
    row: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
    time: npt.NDArray[np.float64],
    earlier: npt.NDArray[np.float64],
) -> npt.NDArray[np.void]:
    found: npt.NDArray[np.void] = np.zeros(len(row), _MOMENT)
    found["row"], found["other"], found["time"], found["earlier"] = row, other, time, earlier
    return found


def _nibbles(frames: Frames) -> npt.NDArray[np.int64]:
    data = frames["data"]
    found: npt.NDArray[np.int64] = np.stack([data >> 4, data & 15], axis=-1).reshape(-1, NIBBLES).astype(np.int64)
    return found


def _at_least(counts: npt.NDArray[np.int64], of: npt.NDArray[np.int64], one_in: int) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (counts > 0) & (counts * one_in >= of)
    return found
