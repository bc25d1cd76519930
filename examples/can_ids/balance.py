"""Rare attacks made as frequent as common ones in training, without showing the same few windows again and again.

On a bus one frame in thousands is injected; a network trained on that learns to say `normal`. Here half the samples
are normal and the attacks share the other half evenly, whatever the log holds: where normal windows are fewer than half
of the samples wanted, there are fewer samples, and where they are even fewer than the attacks have kinds, each is shown
as often as it takes for one window of each attack. A class with more windows than its part is drawn from. A class with
fewer keeps all of its own and gets **transplants**: the injected frames of one of its windows, in the places they had,
among the frames of a normal window. That is what an injection is, so the network learns the injected frames and not
the traffic that happened to surround the few that were recorded. Only training windows are used, and made.

A transplanted frame of an identifier that no true frame bears imitates nothing, so its payload's bits are **redrawn**,
each from any such frame of its class: what is the same in all of them stays, what is random is never twice the same.
Without it a network learns the payloads of the few fuzzed frames by heart, and finds three of four others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .habits import COMPANY
from .windows import FRAME_BYTES, Recipe, Windows

__all__ = ["balanced", "redrawn", "training_arrays", "transplanted"]

_IDENTIFIER = 2
"""Bytes of the identifier, a frame's first."""


def transplanted(
    windows: Windows, rows: npt.NDArray[np.int64], hosts: npt.NDArray[np.int64], recipe: Recipe
) -> npt.NDArray[np.uint8]:
    """uint8 [rows, features]: the injected frames of windows `rows` in their places, around them the frames of the
    windows `hosts` in order, as many as there is place for. A frame keeps its state, but for its company, which stays
    with the place."""
    shape = (len(rows), recipe.frames, recipe.features_a_frame)
    patient, host = windows.x[rows].reshape(shape), windows.x[hosts].reshape(shape)
    injected = windows.injected[rows]
    place = np.maximum(np.cumsum(~injected, axis=1) - 1, 0)
    shifted = np.take_along_axis(host, place[:, :, None], axis=1)
    made = np.where(injected[:, :, None], patient, shifted)
    made[:, :, -1] = (made[:, :, -1] & ~np.uint8(COMPANY)) | (patient[:, :, -1] & COMPANY)
    return made.reshape(len(rows), recipe.features)


def redrawn(
    made: npt.NDArray[np.uint8],
    injected: npt.NDArray[np.bool_],
    true: npt.NDArray[np.int64],
    recipe: Recipe,
    generator: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Windows `made` uint8 [windows, features] of one class with new payloads in the frames that are `injected` bool
    [windows, frames] and whose identifier is none of the `true` ones: every bit is that of one of these frames."""
    frames = made.reshape(-1, recipe.features_a_frame).copy()
    rows = np.flatnonzero(injected.ravel() & ~np.isin(_identifiers(frames), true))
    if len(rows):
        bits = np.unpackbits(frames[rows, _IDENTIFIER:FRAME_BYTES], axis=1)
        drawn = np.take_along_axis(bits, generator.integers(0, len(bits), bits.shape), axis=0)
        frames[rows, _IDENTIFIER:FRAME_BYTES] = np.packbits(drawn, axis=1)
    return frames.reshape(made.shape)


def _identifiers(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Of frames [frames, features_a_frame], as the features have them."""
    return frames[:, 0].astype(np.int64) << 8 | frames[:, 1]


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
    true = np.unique(_identifiers(windows.x.reshape(-1, recipe.features_a_frame)[~windows.injected.ravel()]))
    for place, attack in enumerate(attacks):
        members = np.flatnonzero(windows.y == attack)
        part = wanted // len(attacks) + (place < wanted % len(attacks))
        xs.append(windows.x[generator.choice(members, min(part, len(members)), replace=False)])
        if part > len(members):
            rows, hosts = (generator.choice(group, part - len(members)) for group in (members, normal))
            made = transplanted(windows, rows, hosts, recipe)
            xs.append(redrawn(made, windows.injected[rows], true, recipe, generator))
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
