"""Which bits flip: each by itself with one probability, drawn from a seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .stored_form import Bytes

__all__ = ["drawn", "flipped", "masks"]


def drawn(bits: npt.NDArray[np.int64], rate: float, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Of positions of bits, those that flip: a binomial number of them, all choices alike."""
    count = int(generator.binomial(len(bits), rate)) if len(bits) else 0
    return bits[generator.choice(len(bits), count, replace=False, shuffle=False)] if count else bits[:0]


def flipped(content: Bytes, bits: npt.NDArray[np.int64]) -> Bytes:
    """A copy with these bits (8 · byte + bit) flipped."""
    copy = content.copy()
    np.bitwise_xor.at(copy, bits // 8, (1 << bits % 8).astype(np.uint8))
    return copy


def masks(samples: int, size: int, rate: float, generator: np.random.Generator) -> Bytes:
    """Bytes [samples, size] of which each bit is 1 with probability `rate`."""
    total = 8 * samples * size
    count = int(generator.binomial(total, rate)) if total else 0
    found = np.zeros(samples * size, np.uint8)
    if count:
        bits = generator.choice(total, count, replace=False, shuffle=False)
        np.bitwise_or.at(found, bits // 8, (1 << bits % 8).astype(np.uint8))
    return found.reshape(samples, size)
