"""What the bus did before, as exact integers: when each identifier was last seen, how often it comes, what it carried.

A replayed frame is a true frame at a wrong time; no window of a few frames shows that. Most identifiers come with a
period, so the time since the last frame of the same identifier, in 64ths of its period, tells a frame that nobody
expected. What a gateway keeps for that is one entry for an identifier, 256 at most:

    last, before   time of its last frame and of the one before, microseconds modulo 2^32
    period         running mean of the time between its frames, in microseconds
    data, earlier  payloads of those two frames, 8 bytes each, 0 past the length
    seen           how many of its frames there were: 1, 2 (or more)

and what it computes for each frame, with gap(a, b) = a − b modulo 2^32, 0 where that is 2^31 or more (a clock that
steps back), at least 256 and at most 2^24 − 1:

    first frame    features 64, 128, 0, 0                                      period 0
    others         g1 = gap(now, last), g2 = gap(now, before) or, at the second frame, 2 · g1
                   period = g1 at the second frame
                   features min(64 · g1 / period, 255), min(64 · g2 / period, 255), rounded down,
                            bits in which the payload is not that of `last`, and of `before`
                   period = (7 · period + clip(g1, period / 2, 2 · period)) / 8, rounded down

At the second frame the fourth feature is as the third. The clip keeps an injected frame from moving the period far; a
256 µs floor under gaps keeps times that no bus allows from being features: a frame of 8 bytes takes 222 µs at 500
kbit/s, and attacks that were injected offline stand 2 µs apart. When an identifier comes that has no entry and all are
taken, the entry whose last frame is longest ago in the order of arrival goes.

A fifth feature says what is unusual about the frame, by what training traffic taught (`habits.py`); for it the
identifiers of the bus's last two frames are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .frames import EXTENDED, Frames
from .habits import MOST_IDENTIFIERS, Habits

__all__ = ["STATE_FEATURES", "BusState", "state_features"]

STATE_FEATURES = 5
_PERIOD = 64
_SHORTEST, _LONGEST = 256, (1 << 24) - 1
_FIRST = (_PERIOD, 2 * _PERIOD, 0, 0)


def _gap(now: int, then: int) -> int:
    gap = (now - then) & 0xFFFFFFFF
    return _SHORTEST if gap >> 31 else min(max(gap, _SHORTEST), _LONGEST)


class BusState:
    """The state above; `see` takes a frame. Two of the same habits and history give the same features."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        # In the order of the last frame; values are last, before, period, data, earlier, seen.
        self._entries: dict[int, tuple[int, int, int, int, int, int]] = {}
        self._behind = (-1, -1)

    def see(self, microseconds: int, identifier: int, extended: bool, data: int) -> tuple[int, int, int, int, int]:
        """The features of the next frame; `data` is its 8 bytes as one number."""
        key, now = EXTENDED * int(extended) + identifier, microseconds & 0xFFFFFFFF
        entry = self._entries.pop(key, None)
        behind, self._behind = self._behind, (key, self._behind[0])
        if entry is None:
            if len(self._entries) == MOST_IDENTIFIERS:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (now, now, 0, data, data, 1)
            return (*_FIRST, self.habits.unusual(key, behind, data, None))
        last, before, period, previous, earlier, seen = entry
        gap = _gap(now, last)
        if seen == 1:
            period, longer, earlier = gap, 2 * gap, previous
        else:
            longer = _gap(now, before)
        features = (
            min(_PERIOD * gap // period, 255),
            min(_PERIOD * longer // period, 255),
            (data ^ previous).bit_count(),
            (data ^ earlier).bit_count(),
            self.habits.unusual(key, behind, data, (previous, earlier)),
        )
        period = (7 * period + min(max(gap, period // 2), 2 * period)) // 8
        self._entries[key] = (now, last, period, data, previous, 2)
        return features


def state_features(
    frames: Frames, habits: Sequence[Habits], which: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.uint8]:
    """uint8 [frames, 5]: the features of frames that follow one another, from the first frame of the bus on; `which` of
    the habits each frame is held against (the first, if not given)."""
    state = BusState(habits[0])
    microseconds = np.rint(frames["time"] * 1e6).astype(np.int64).tolist()
    data = np.ascontiguousarray(frames["data"]).view(">u8").ravel().tolist()
    rows = zip(microseconds, frames["identifier"].tolist(), frames["extended"].tolist(), data, strict=True)
    found = []
    for row, number in zip(rows, [0] * len(frames) if which is None else which.tolist(), strict=True):
        state.habits = habits[number]
        found.append(state.see(*row))
    return np.array(found, np.uint8).reshape(-1, STATE_FEATURES)
