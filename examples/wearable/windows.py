"""Windows of 2.56 seconds, and features that a microcontroller computes with additions and comparisons alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .recordings import AXES, Recording

__all__ = ["FEATURES", "LENGTH", "STATISTICS", "STEP", "events_input", "features", "windows"]

LENGTH = 128
"""Samples of a window: 2.56 s. A power of two, so that a mean is a sum and a shift."""
STEP = 64
"""Samples from one window to the next."""
STATISTICS = ("mean", "low", "high", "spread", "change")
FEATURES = tuple(f"{axis}_{statistic}" for statistic in STATISTICS for axis in AXES)
_EVERY = 4


def windows(recordings: list[Recording]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
    """Windows [count, 128, 6] and the exercise of each; none spans two recordings."""
    cut, exercises = [], []
    for recording in recordings:
        for start in range(0, len(recording.samples) - LENGTH + 1, STEP):
            cut.append(recording.samples[start : start + LENGTH])
            exercises.append(recording.exercise)
    return np.stack(cut), np.array(exercises)


def features(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """[count, 128, 6] → [count, 30]: per axis the mean, the lowest and the highest sample, the mean distance from the
    mean, and the mean step from one sample to the next."""
    mean = x.mean(axis=1)
    spread = np.abs(x - mean[:, None]).mean(axis=1)
    change = np.abs(np.diff(x, axis=1)).mean(axis=1)
    return np.concatenate([mean, x.min(axis=1), x.max(axis=1), spread, change], axis=1).astype(np.float32)


def events_input(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """[count, 128, 6] → [count, 32 · 6]: means of four samples over time, what a delta encoder takes; angular rates
    in units of 4 rad/s, so that all six axes have a like range."""
    coarse = x.reshape(len(x), LENGTH // _EVERY, _EVERY, x.shape[2]).mean(axis=2)
    coarse[..., 3:] /= 4
    return coarse.reshape(len(x), -1).astype(np.float32)
