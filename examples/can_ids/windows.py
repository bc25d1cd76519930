"""Windows: what the network sees of the bus, what each is called, and which are held back.

A window is n frames that follow one another on the bus (4 by default), and there is one for every frame: the frame
just received and the n − 1 before it, as the monitor sees them. Its features, oldest frame first, are bytes 0 … 255:

    identifier, high byte | identifier, low byte | 8 data bytes, 0 where the frame is shorter | 5 of the bus's state

60 features for 4 frames. Those of the state (`state.py`) say how long ago the identifier was last seen, how much of its
payload changed, and what of that and of the frames before it is unusual (`habits.py`): what a window by itself cannot
show.

**Its class** is the attack that most of its injected frames belong to (ties to the newest); `normal` if none is
injected. So n windows in a row tell of one injected frame.

**Held back** is the last fifth of every trace, by time, and with it the same time of every other trace: traces may be
the same drive with other attacks injected (most of the Volvo's are), and a frame of the drive must not be learned from
one trace and tested in another. Of what is left the last part is for **validation**, cut in the same way: no weight
learns from it, the threshold of the alarm is set on it. No window spans a cut, and the bus's state begins anew at each,
as if the detector were switched on there, so nothing of one side is in a feature of another. A window whose frames,
times and all, were seen in an earlier trace is left out: it would count twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .frames import Frames, Traffic
from .habits import Counts, Habits
from .state import STATE_FEATURES, state_features

__all__ = ["FRAME_BYTES", "Recipe", "Windows", "bytes_of", "features_of", "held_back_times", "labels_of", "split"]

_MOST_FRAMES_A_WINDOW = 64
FRAME_BYTES = 10
"""Of a frame itself: identifier and data."""
_VALIDATION = 0.2


@dataclass(frozen=True)
class Recipe:
    """How windows are made.

    Parameters
    ----------
    frames : frames in a window.
    """

    frames: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= _MOST_FRAMES_A_WINDOW:
            raise InputError("frames in a window", f"must lie in 1 … {_MOST_FRAMES_A_WINDOW}, found {self.frames}")

    @classmethod
    def of_features(cls, features: int) -> Recipe:
        """The recipe of a network with so many inputs; InputError where none fits."""
        frames, rest = divmod(features, FRAME_BYTES + STATE_FEATURES)
        if rest or not 1 <= frames <= _MOST_FRAMES_A_WINDOW:
            raise InputError("the network", f"takes {features} inputs, which are no whole number of CAN frames")
        return cls(frames)

    @property
    def features_a_frame(self) -> int:
        """Features that one frame gives."""
        return FRAME_BYTES + STATE_FEATURES

    @property
    def features(self) -> int:
        """Features of a window."""
        return self.frames * self.features_a_frame


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of several stretches of traffic.

    Parameters
    ----------
    x : uint8 [windows, features].
    y : int64 [windows], the class.
    time : float64 [windows], when the newest frame arrived.
    injected : bool [windows, frames], which of its frames are injected.
    position : int64 [windows], where the newest frame stands in the log; windows that follow one another on the bus
        have numbers that do.
    seconds : time on the bus that they cover, each moment once.
    """

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    time: npt.NDArray[np.float64]
    injected: npt.NDArray[np.bool_]
    position: npt.NDArray[np.int64]
    seconds: float

    def __len__(self) -> int:
        return len(self.x)


def bytes_of(frames: Frames) -> npt.NDArray[np.uint8]:
    """Identifier and data of each frame, uint8 [frames, FRAME_BYTES].

    A 29-bit identifier is folded: its upper 16 bits are XORed onto its lower 16. Of an 11-bit one nothing is lost.
    """
    identifier = frames["identifier"]
    identifier = (identifier ^ (identifier >> 16)) & 0xFFFF
    x = np.empty((len(frames), FRAME_BYTES), np.uint8)
    x[:, 0], x[:, 1] = identifier >> 8, identifier & 0xFF
    x[:, 2:] = frames["data"]
    return x


def features_of(
    frames: Frames, habits: Sequence[Habits], which: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.uint8]:
    """Features of each of frames that follow one another from a bus's first on, uint8 [frames, features_a_frame]; as
    `state_features` takes them."""
    return np.concatenate([bytes_of(frames), state_features(frames, habits, which)], axis=1)


def _slid(values: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """[n, …] → [n − size + 1, size, …], a view."""
    view = np.lib.stride_tricks.sliding_window_view(values, size, axis=0)
    return np.moveaxis(view, -1, 1)


def labels_of(labels: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.int64]:
    """The class of every window of `size` frames, by the rule above."""
    windows = _slid(labels, size)
    best, votes = np.zeros(len(windows), np.int64), np.zeros(len(windows), np.int64)
    # From the newest frame to the oldest: a class must have more frames than the one found so far.
    for position in range(size - 1, -1, -1):
        candidate = windows[:, position].astype(np.int64)
        count = np.where(candidate > 0, np.sum(windows == candidate[:, None], axis=1), 0)
        better = count > votes
        best[better], votes[better] = candidate[better], count[better]
    return best


def held_back_times(traffic: Traffic, share: float = 0.2) -> list[tuple[float, float]]:
    """(start, end) in seconds of all that is held back: the last `share` of every trace, those that meet as one."""
    if not 0 < share < 1:
        raise InputError("share held back", f"must lie between 0 and 1, found {share:g}")
    pieces = []
    for index in range(len(traffic.traces)):
        time = traffic.trace(index)["time"]
        pieces.append((float(time[-1] - share * (time[-1] - time[0])), float(time[-1])))
    joined: list[tuple[float, float]] = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def pieces_of(traffic: Traffic, share: float = 0.2) -> tuple[list[npt.NDArray[np.int64]], ...]:
    """(for training, for validation, held back for testing): numbers of frames that follow one another on one bus."""
    testing = held_back_times(traffic, share)
    later = held_back_times(traffic, share + _VALIDATION * (1 - share))
    sides: tuple[list[npt.NDArray[np.int64]], ...] = ([], [], [])
    for index in range(len(traffic.traces)):
        numbers = np.flatnonzero(traffic.frames["trace"] == index)
        time = traffic.frames["time"][numbers]
        side = np.where(_within(time, testing), 2, _within(time, later).astype(np.int64))
        for piece in np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(side)) + 1):
            sides[int(side[piece[0]])].append(numbers[piece])
    return sides


def habits_of(traffic: Traffic, share: float = 0.2) -> Habits:
    """What is usual in the traffic for training."""
    return Counts([traffic.frames[numbers] for numbers in pieces_of(traffic, share)[0]]).habits()


def split(traffic: Traffic, recipe: Recipe, share: float = 0.2) -> tuple[Windows, Windows, Windows]:
    """(for training, for validation, held back for testing), by the rule above.

    Raises InputError where a side has no window, or none that is normal.
    """
    sides = pieces_of(traffic, share)
    counts = Counts([traffic.frames[numbers] for numbers in sides[0]])
    habits = [counts.habits(), *(counts.habits(without=fold) for fold in range(counts.FOLDS))]
    found = []
    for side, name in enumerate(("training", "validation", "testing")):
        parts = []
        for numbers in sides[side]:
            if len(numbers) >= recipe.frames:
                frames = traffic.frames[numbers]
                x = features_of(frames, habits, None if side else 1 + counts.fold(frames["time"]))
                parts.append(_windows(frames, x, numbers, recipe))
        found.append(_joined(parts, recipe))
        if not np.any(found[-1].y == 0):
            raise InputError("the log", f"leaves no window of normal traffic for {name}", "Take a longer log")
    return found[0], found[1], found[2]


def _within(time: npt.NDArray[np.float64], pieces: list[tuple[float, float]]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(time), np.bool_)
    for start, end in pieces:
        inside |= (time >= start) & (time <= end)
    return inside


def _windows(
    frames: Frames, features: npt.NDArray[np.uint8], numbers: npt.NDArray[np.int64], recipe: Recipe
) -> Windows:
    x = _slid(features, recipe.frames).reshape(-1, recipe.features)
    time = frames["time"][recipe.frames - 1 :]
    injected = _slid(frames["label"] > 0, recipe.frames)
    seconds = float(time[-1] - frames["time"][0])
    y = labels_of(frames["label"], recipe.frames)
    return Windows(x, y, time, injected, numbers[recipe.frames - 1 :], seconds)


def _joined(parts: list[Windows], recipe: Recipe) -> Windows:
    """All parts as one, windows of the same frames at the same time once."""
    if not parts:
        none, bits = np.empty(0, np.int64), np.empty((0, recipe.frames), np.bool_)
        return Windows(np.empty((0, recipe.features), np.uint8), none, np.empty(0), bits, none, 0.0)
    x, y, time, injected, position = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y", "time", "injected", "position")
    )
    content = x.reshape(len(x), recipe.frames, -1)[:, :, :FRAME_BYTES].reshape(len(x), -1)
    keys = np.concatenate([content, np.ascontiguousarray(time)[:, None].view(np.uint8)], axis=1)
    _, first = np.unique(np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).ravel(), return_index=True)
    first.sort()
    return Windows(x[first], y[first], time[first], injected[first], position[first], _covered(parts))


def _covered(parts: list[Windows]) -> float:
    """Seconds that the parts cover together."""
    total, reached = 0.0, -np.inf
    for start, end in sorted((float(part.time[0]), float(part.time[-1])) for part in parts):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
