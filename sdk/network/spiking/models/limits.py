"""What happens to a state that passes its width: named rules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["LIMITS", "bounds", "limit"]

Int64 = npt.NDArray[np.int64]

LIMITS = ("refuse", "saturate", "saturate_symmetric", "wrap")
"""Rules by name, for a state of b bits:

| name | meaning |
|---|---|
| refuse | cannot happen: the range derived from the weights fits, or the network is refused |
| saturate | clip to −2^(b−1) … 2^(b−1) − 1 |
| saturate_symmetric | clip to −(2^(b−1) − 1) … 2^(b−1) − 1: Loihi's membrane |
| wrap | once: x − 2^b above 2^(b−1), x + 2^b at or below −2^(b−1): Loihi's current |
"""


def bounds(rule: str, bits: int) -> tuple[int, int]:
    """Smallest and largest value that a limited state can take."""
    half = 1 << (bits - 1)
    if rule == "saturate_symmetric":
        return -(half - 1), half - 1
    if rule == "wrap":
        return -half + 1, half
    return -half, half - 1


def limit(rule: str, x: Int64, bits: int) -> Int64:
    """x within `bits` by `rule`; x itself for `refuse`."""
    if rule == "refuse":
        return x
    if rule == "wrap":
        half = 1 << (bits - 1)
        return x - np.where(x > half, 2 * half, 0) + np.where(x <= -half, 2 * half, 0)
    low, high = bounds(rule, bits)
    return np.clip(x, low, high)
