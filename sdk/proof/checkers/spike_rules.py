"""How neurons fire, by formulas that checkers have to themselves: whether all potentials give their levels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .memories import fits

__all__ = ["gives"]

_Int64 = npt.NDArray[np.int64]


def gives(encoding: str, v: _Int64, steps: _Int64, ceiling: int, bits: int, level: _Int64) -> bool:
    """Whether a neuron with potentials v gives its level, by the encoding's rule: k spikes cost steps[0 … k − 1]."""
    levels = len(steps)
    paid = np.concatenate([[0], np.cumsum(steps)])
    if encoding == "stbif":  # at rest with k spikes alone where k is the level; there is room for every v on the way
        rests = [(v - paid[k] < steps[min(k, levels - 1)]) | (k == levels) for k in range(levels + 1)]
        quiet = [rest & ((v - paid[k] >= 0) | (k == 0)) for k, rest in enumerate(rests)]
        right = all(bool((each == (level == k)).all()) for k, each in enumerate(quiet))
        up = all(bool((~rests[k] == (level > k)).all()) for k in range(levels))
        return right and up and fits(int(v.min() - paid.max()), int(v.max() - paid.min()), bits, True)
    if encoding == "ttfs":  # the first slot in which v, one step more in each, reaches the ceiling
        climbs = np.concatenate([[0], np.cumsum(steps[::-1])])
        reached = np.array([v + climbs[slot] >= ceiling for slot in range(levels)])
        found = np.where(reached.any(axis=0), levels - reached.argmax(axis=0), 0)
        return bool((found == level).all()) and fits(int(v.min()), int(v.max() + climbs[:levels].max()), bits, True)
    found = np.zeros_like(v)
    if encoding == "sar":  # the memory holds what the first k spikes cost
        for place in (1 << k for k in reversed(range(levels.bit_length()))):
            wanted = found + place
            found = np.where((wanted <= levels) & (v >= steps[np.minimum(wanted, levels) - 1]), wanted, found)
    else:
        rest = v.copy()
        for _ in range(levels):
            fires = (found < levels) & (rest >= steps[np.minimum(found, levels - 1)])
            rest = np.where(fires, rest - steps[np.minimum(found, levels - 1)], rest)
            found = found + fires
    return bool((found == level).all()) and fits(int(v.min()), int(v.max()), bits, True)
