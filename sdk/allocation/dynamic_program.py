"""The best choice for every layer under a limit: an exact dynamic program."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["STEPS", "best_choices"]

Floats = npt.NDArray[np.float64]

STEPS = 200
"""Into so many steps the room under the limit is cut; costs are rounded up to whole ones."""


def best_choices(
    costs: Sequence[Floats], own: Sequence[Floats], pairs: Sequence[Floats], limit: float
) -> tuple[int, ...] | None:
    """The choice of each layer with the least Σ own + Σ pairs of all whose costs together are at most `limit`.

    Parameters
    ----------
    costs, own : of each layer [choices].
    pairs : of each two layers in a row [choices of the first, choices of the second].

    Returns
    -------
    Positions of the choices; None where even the cheapest of all layers cost more. What rounding to steps takes of
    the limit is at most a two-hundredth for each layer.
    """
    cheapest = sum(float(each.min()) for each in costs)
    room = limit - cheapest
    if room < 0:
        return None
    steps = [
        np.ceil((each - each.min()) / room * STEPS - 1e-9).astype(np.int64)
        if room > 0
        else np.where(each > each.min(), STEPS + 1, 0)
        for each in costs
    ]
    # least[c, b]: the best sum of the layers so far, the last of them having choice c, with at most b steps spent
    least = _shifted(np.broadcast_to(own[0][:, None], (len(own[0]), STEPS + 1)), steps[0])
    before: list[npt.NDArray[np.int64]] = []
    for place in range(1, len(costs)):
        sums = least[:, None, :] + pairs[place - 1][:, :, None]  # [choice before, choice, steps]
        chosen = sums.argmin(axis=0)
        reached = np.take_along_axis(sums, chosen[None], axis=0)[0] + own[place][:, None]
        before.append(chosen)
        least = _shifted(reached, steps[place])
    left = STEPS
    choice = int(least[:, left].argmin())
    found = [choice]
    for place in range(len(costs) - 1, 0, -1):
        left -= int(steps[place][choice])
        choice = int(before[place - 1][choice, left])
        found.append(choice)
    return tuple(reversed(found))


def _shifted(sums: Floats, steps: npt.NDArray[np.int64]) -> Floats:
    """Row c moved by steps[c]: what is reached when so many more are spent; infinite where there are too few."""
    shifted = np.full(sums.shape, np.inf)
    for row, count in enumerate(steps):
        if count <= STEPS:
            shifted[row, count:] = sums[row, : STEPS + 1 - count]
    return shifted
