"""From traffic to arrays for training, kept on disk, and the count of what is in them."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.terminal import Terminal

from .balance import training_arrays
from .frames import Traffic
from .windows import Recipe, Windows, split

__all__ = ["Prepared", "prepared", "save_arrays", "show_counts"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Windows of a log, split and balanced.

    Parameters
    ----------
    traffic : the log.
    training, validation, testing : all windows of each side.
    arrays : x, y (balanced), x_test, y_test, labels.
    recipe : how the windows were made.
    """

    traffic: Traffic
    training: Windows
    validation: Windows
    testing: Windows
    arrays: dict[str, npt.NDArray[Any]]
    recipe: Recipe

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.traffic.classes


def prepared(traffic: Traffic, recipe: Recipe, held_back: float, most: int, seed: int) -> Prepared:
    """Windows of `traffic`, split by time (`windows.split`) and balanced (`balance.balanced`)."""
    if most < 0:
        raise InputError("option most", f"must not be negative, found {most}")
    training, validation, testing = split(traffic, recipe, held_back)
    arrays = training_arrays(training, testing, recipe, traffic.classes, most, seed)
    return Prepared(traffic, training, validation, testing, arrays, recipe)


def save_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Write an .npz beside `path` and rename it into place; InputError where it cannot be written."""
    if path.suffix.lower() != ".npz":
        raise InputError(str(path), "must end in .npz")
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}.npz")
    entries: dict[str, Any] = {**arrays}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(partial, **entries)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror or error})") from error
    finally:
        partial.unlink(missing_ok=True)


def show_counts(terminal: Terminal, data: Prepared) -> None:
    """Print how many frames and windows each class has on each side."""
    rows: list[list[object]] = []
    for number, (name, frames) in enumerate(data.traffic.counts().items()):
        sides = [
            int(np.sum(y == number)) for y in (data.training.y, data.arrays["y"], data.validation.y, data.testing.y)
        ]
        rows.append([name, frames, *sides])
    terminal.table("", ["class", "frames", "windows to train", "of these taken", "to validate", "held back"], rows)
