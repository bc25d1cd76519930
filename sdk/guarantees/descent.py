"""A search for an input of another class among the corners of a box."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..network import Network, simulate

__all__ = ["descend"]

_MOST_ROUNDS = 4


def descend(
    network: Network,
    box: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    rows: npt.NDArray[np.float64],
    least: npt.NDArray[np.int64],
    corner: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """The input of the box low, high, found from a corner, at which min(rows · y − least) is smallest.

    A round moves each input alone to its other end, orders them by what that gains, and moves the best so many of them
    together; it ends where nothing is gained. All inputs are run on golden.
    """
    low, high = box

    def margins(inputs: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        slack: npt.NDArray[np.float64] = (simulate(network, inputs) @ rows.T - least).min(axis=1)
        return slack

    free = np.flatnonzero(high > low)
    best = float(margins(corner[None, :])[0])
    for _ in range(_MOST_ROUNDS):
        if best < 0 or not len(free):
            break
        other = low + high - corner
        alone = np.repeat(corner[None, :], len(free), axis=0)
        alone[np.arange(len(free)), free] = other[free]
        order = free[np.argsort(margins(alone), kind="stable")]
        together = np.repeat(corner[None, :], len(free), axis=0)
        rank = np.arange(len(free))
        moved = rank[:, None] >= rank[None, :]
        together[:, order] = np.where(moved, other[order], corner[order])
        found = margins(together)
        if found.min() >= best:
            break
        best, corner = float(found.min()), together[int(found.argmin())]
    return corner
