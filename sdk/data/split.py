"""Which samples are held back: the same ones on every machine and with every version of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["SPLITS", "STRATIFIED", "TAIL", "held_back"]

SPLITS = STRATIFIED, TAIL = ("stratified", "tail")
SEED = 0
_Rows = npt.NDArray[np.int64]


def held_back(samples: int, y: npt.NDArray[Any] | None, split: str, where: str) -> tuple[_Rows, _Rows, str]:
    """Rows to train and calibrate with, rows that are held back, and the kind of the split.

    stratified : a fifth of each class, both sides in random order, always the same for the same y. Of a class of two
        samples or more at least one is held back, a single sample is not. Without classes (no y, values, or more
        different numbers than a fifth of the samples) a random fifth, which is said as "random".
    tail : the last fifth, in order: for samples over time, whose neighbours are alike.

    Raises InputError naming `where` for fewer than 2 samples, or another `split`.
    """
    if split not in SPLITS:
        raise InputError("split", f"{split!r} is not one of {', '.join(SPLITS)}")
    if samples < 2:
        raise InputError(where, "needs at least 2 samples: a fifth is held back for testing")
    most = max(samples // 5, 1)
    if split == TAIL:
        rows = np.arange(samples)
        return rows[: samples - most], rows[samples - most :], TAIL
    # RandomState's numbers are the same for ever; those of newer generators may change with numpy.
    order = np.argsort(np.random.RandomState(SEED).random_sample(samples), kind="stable")
    if y is None or y.ndim != 1 or len(np.unique(y)) > most:
        return order[most:], order[:most], "random"
    test = np.zeros(samples, np.bool_)
    _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
    for each, share in enumerate(_shares(counts, most)):
        members = order[classes.reshape(-1)[order] == each]
        test[members[:share]] = True
    return order[~test[order]], order[test[order]], STRATIFIED


def _shares(counts: npt.NDArray[np.int64], most: int) -> list[int]:
    """How many of each class are held back: a fifth, and of what rounding leaves one each to the largest remainders."""
    shares = counts // 5
    remainder = np.where(counts > 1, counts % 5, 0)
    for each in np.argsort(-remainder, kind="stable"):
        if shares.sum() >= most:
            break
        if remainder[each]:
            shares[each] += 1
    shares = np.where((counts > 1) & (shares == 0), 1, shares)
    return [int(share) for share in shares]
