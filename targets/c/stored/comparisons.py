"""Thresholds as the kernels of `threshold.h`, `threshold_rows.h` and `threshold_line.h` compute them, flips and all.

Accumulators are int32; arithmetic on them wraps. Flipped thresholds need not ascend: a search then finds what its steps
lead to.
"""

from __future__ import annotations

import numpy as np

from .meaning import Ints, signed

__all__ = ["compared", "excepted", "line_packed", "line_words", "searched", "searched_rows"]


def compared(acc: Ints, thresholds: Ints) -> Ints:
    """How many of thresholds [channels, levels] each accumulator reaches."""
    return np.asarray((acc[:, :, None] >= thresholds).sum(axis=2), np.int64)


def searched(acc: Ints, thresholds: Ints) -> Ints:
    """A binary search that halves what is left."""
    below, left = np.zeros_like(acc), np.full_like(acc, thresholds.shape[1])
    channel = np.arange(acc.shape[1])
    while (left > 0).any():
        half = left // 2
        reached = (acc >= thresholds[channel, np.minimum(below + half, thresholds.shape[1] - 1)]) & (left > 0)
        below = np.where(reached, below + half + 1, below)
        left = np.where(reached, left - half - 1, half)
    return below


def searched_rows(acc: Ints, thresholds: Ints, centre: int) -> Ints:
    """A search of fixed depth; levels are 2^k − 1."""
    value, reached = signed(acc - centre), np.zeros_like(acc)
    channel, step = np.arange(acc.shape[1]), (thresholds.shape[1] + 1) // 2
    while step:
        reached = reached + step * (value >= thresholds[channel, reached + step - 1])
        step //= 2
    return reached


def line_packed(acc: Ints, words: Ints, place: int, shift: int, levels: int) -> Ints:
    """clip((acc · (word mod 2^16) + (word >> place)) >> shift, 0, levels)."""
    total = signed(acc * (words & 0xFFFF) + (signed(words) >> place))
    return np.asarray(np.clip(total >> shift, 0, levels), np.int64)


def line_words(acc: Ints, multipliers: Ints, offsets: Ints, arguments: tuple[int, int, int, int], levels: int) -> Ints:
    """clip(((acc · scale · multiplier >> 32) + offset · step + base) >> shift, 0, levels)."""
    scale, step, base, shift = arguments
    total = signed((signed(acc * scale) * multipliers >> 32) + signed(offsets * step + base))
    return np.asarray(np.clip(total >> shift, 0, levels), np.int64)


def excepted(acc: Ints, reached: Ints, exceptions: Ints) -> Ints:
    """What lines miss: exceptions [number, 4] of channel, first, beyond, change; results modulo 2^8."""
    for channel, first, beyond, change in exceptions.tolist():
        at = (acc[:, channel] >= first) & (acc[:, channel] < beyond)
        reached[at, channel] = (reached[at, channel] + change) & 0xFF
    return reached
