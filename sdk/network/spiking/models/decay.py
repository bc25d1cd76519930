"""How a state decays in one step: named rules on integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["DECAYS", "decay"]

Int64 = npt.NDArray[np.int64]


def _none(x: Int64, k: Int64, bits: int) -> Int64:
    return x


def _multiply(x: Int64, k: Int64, bits: int) -> Int64:
    if bits == 0:
        return x * k
    product = x * k
    product += 1 << (bits - 1)
    product >>= bits
    return product


def _multiply_toward_zero(x: Int64, k: Int64, bits: int) -> Int64:
    result: Int64 = np.sign(x) * ((np.abs(x) * k) >> bits)
    return result


def _shift(x: Int64, k: Int64, bits: int) -> Int64:
    rest = x - (x >> k)
    result: Int64 = rest - ((rest == x) & (x > 0))
    return result


def _subtract(x: Int64, k: Int64, bits: int) -> Int64:
    result: Int64 = np.sign(x) * np.maximum(np.abs(x) - k, 0)
    return result


DECAYS: dict[str, Callable[[Int64, Int64, int], Int64]] = {
    "none": _none,
    "multiply": _multiply,
    "multiply_toward_zero": _multiply_toward_zero,
    "shift": _shift,
    "subtract": _subtract,
}
"""Rules by name, for a state x and a parameter k per neuron:

| name | new x | k |
|---|---|---|
| none | x | unused |
| multiply | (x·k + 2^(bits−1)) >> bits: the nearest integer, ties up | β = k / 2^bits |
| multiply_toward_zero | sign(x) · ((\\|x\\|·k) >> bits) | β = k / 2^bits; Loihi with 12 bits |
| shift | x − (x >> k), and one less if that changes nothing and x > 0: a linear tail | Xylo's dash |
| subtract | sign(x) · max(\\|x\\| − k, 0) | a constant leak toward zero |

Every rule is monotone in x and keeps 0, which the ranges of states rely on.
"""


def decay(rule: str, x: Int64, k: Int64, bits: int) -> Int64:
    """x [..., neurons] one step later, by the `rule` with parameter k [neurons]."""
    return DECAYS[rule](x, k, bits)
