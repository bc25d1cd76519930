"""Rare attacks made as frequent as common ones in training, without showing the same few windows again and again.

On a bus one frame in thousands is injected; a network trained on that learns to say `normal`. Here half the samples
are normal and the attacks share the other half evenly, whatever the log holds: where normal windows are fewer than half
of the samples wanted, there are fewer samples, and where they are even fewer than the attacks have kinds, each is shown
as often as it takes for one window of each attack. A class with more windows than its part is drawn from. A class with
fewer keeps all of its own and gets **transplants**: the injected frames of one of its windows, in the places they had,
among the frames of a normal window. That is what an injection is, so the network learns the injected frames and not
the traffic that happened to surround the few that were recorded. Only training windows are used, and made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .windows import Recipe, Windows

__all__ = ["balanced", "training_arrays", "transplanted"]


def transplanted(
    windows: Windows, rows: npt.NDArray[np.int64], hosts: npt.NDArray[np.int64], recipe: Recipe
) -> npt.NDArray[np.uint8]:
    """uint8 [rows, features]: the injected frames of windows `rows` in their places, around them the frames of the
    windows `hosts` in order, as many as there is place for. A frame keeps its gap."""
    shape = (len(rows), recipe.frames, recipe.features_a_frame)
    patient, host = windows.x[rows].reshape(shape), windows.x[hosts].reshape(shape)
    injected = windows.injected[rows]
    place = np.maximum(np.cumsum(~injected, axis=1) - 1, 0)
    shifted = np.take_along_axis(host, place[:, :, None], axis=1)
    return np.where(injected[:, :, None], patient, shifted).reshape(len(rows), recipe.features)


def balanced(
    windows: Windows, recipe: Recipe, most: int, seed: int = 0
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """(x, y) of about `most` samples or fewer, classes balanced as above; the same seed gives the same samples.

    As many are normal as are attacks, and no attack has more than one sample more than another. Without attacks all
    samples are normal.
    """
    generator = np.random.default_rng(seed)
    normal = np.flatnonzero(windows.y == 0)
    attacks = [int(each) for each in np.unique(windows.y) if each]
    wanted = max(min(len(normal), round(most / 2) if attacks else most), len(attacks))
    repeated = np.concatenate(
        [normal] * (wanted // len(normal)) + [generator.choice(normal, wanted % len(normal), False)]
    )
    xs, ys = [windows.x[repeated]], [np.zeros(wanted, np.int64)]
    for place, attack in enumerate(attacks):
        members = np.flatnonzero(windows.y == attack)
        part = wanted // len(attacks) + (place < wanted % len(attacks))
        xs.append(windows.x[generator.choice(members, min(part, len(members)), replace=False)])
        if part > len(members):
            rows, hosts = (generator.choice(group, part - len(members)) for group in (members, normal))
            xs.append(transplanted(windows, rows, hosts, recipe))
        ys.append(np.full(part, attack, np.int64))
    return np.concatenate(xs), np.concatenate(ys)


def training_arrays(
    training: Windows, testing: Windows, recipe: Recipe, classes: tuple[str, ...], most: int = 100_000, seed: int = 0
) -> dict[str, npt.NDArray[Any]]:
    """x, y (balanced), x_test, y_test (as they come), labels: what `edgeml convert --data` reads.

    With `most` 0 the training windows are left as they come. A class without a training window is refused.
    """
    missing = [name for number, name in enumerate(classes) if not np.any(training.y == number)]
    if missing:
        raise InputError(f"class {missing[0]}", "has no window to train with: all its frames are in the time held back")
    x, y = balanced(training, recipe, most, seed) if most else (training.x, training.y)
    return {"x": x, "y": y, "x_test": testing.x, "y_test": testing.y, "labels": np.array(classes)}
