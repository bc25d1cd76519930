"""140 recordings of ten people doing seven shoulder exercises with a smart watch on, from the package seglearn.

The data (Burns et al., "Shoulder physiotherapy exercise recognition: machine learning the inertial signals from a
smartwatch", 2018) comes with seglearn, BSD 3-clause, as a pickle inside the package: it is loaded by the package's own
function, from an installed package only, never from a file that a user was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, MissingTool

__all__ = ["AXES", "RATE", "Recording", "load_recordings", "split_by_person"]

RATE = 50
"""Samples a second."""
AXES = ("ax", "ay", "az", "wx", "wy", "wz")
"""Acceleration in g, angular rate in rad/s."""


@dataclass(frozen=True, eq=False)
class Recording:
    """One set of repetitions: samples float64 [time, 6], the exercise, and the person's number (1 … 10)."""

    samples: npt.NDArray[np.float64]
    exercise: str
    person: int


def load_recordings() -> list[Recording]:
    """All recordings. MissingTool where seglearn is not installed."""
    try:
        from seglearn.datasets import load_watch
    except ImportError as error:
        raise MissingTool(
            "the watch recordings", f"need the package seglearn ({error})", "pip install seglearn"
        ) from error
    data: dict[str, Any] = load_watch()
    if tuple(data["X_labels"]) != AXES:
        raise InputError("the watch recordings", f"hold {data['X_labels']}, expected {AXES}", "Install seglearn 1.2")
    names = [str(name) for name in data["y_labels"]]
    return [
        Recording(np.asarray(samples, np.float64), names[int(label)], int(person))
        for samples, label, person in zip(data["X"], data["y"], data["subject"], strict=True)
    ]


def split_by_person(recordings: list[Recording], held_back: tuple[int, ...]) -> tuple[list[Recording], list[Recording]]:
    """(training, testing): nobody is in both. Windows of one person are alike, so a random split would flatter."""
    known = {recording.person for recording in recordings}
    unknown = set(held_back) - known
    if unknown or not held_back or set(held_back) == known:
        raise InputError("option people", f"must name some, not all, of {sorted(known)}; found {sorted(held_back)}")
    return (
        [recording for recording in recordings if recording.person not in held_back],
        [recording for recording in recordings if recording.person in held_back],
    )
