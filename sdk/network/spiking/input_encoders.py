"""Input encoders: integers into events over time, by equations that C and RTL repeat bit for bit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..value_range import IntArray

__all__ = ["ENCODERS", "encode_over_time", "uniform_draws"]

ENCODERS = ("direct", "unary", "ttfs", "rate", "delta")
"""Encoders by name, for an integer x with count a = x − low of levels = high − low, at step t:

| name | event |
|---|---|
| direct | x itself, every step: a current into the first layer |
| unary | 1 while t < a |
| ttfs | 1 at t = levels − a, if a > 0 |
| rate | 1 if draw(t, feature) < a; draws are uniform on 0 … levels − 1, so that a / levels is the rate |
| delta | x[t] − last, if that differs by at least `change`; last = what was sent in sum, 0 at first |
"""


@lru_cache(maxsize=8)
def uniform_draws(seed: int, count: int, levels: int) -> npt.NDArray[np.int32]:
    """`count` integers on 0 … levels − 1: the 24 high bits of Marsaglia's xorshift32 (13, 17, 5), times levels >> 24.

    The generator advances once per draw, step by step and feature by feature, and starts anew for every sample.
    """
    state, draws = seed & 0xFFFFFFFF, np.empty(count, np.int32)
    for position in range(count):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        draws[position] = ((state >> 8) * levels) >> 24
    draws.setflags(write=False)
    return draws


def encode_over_time(
    x: IntArray, encoder: str, steps: int, *, low: int, high: int, seed: int, change: int
) -> npt.NDArray[np.int32]:
    """Events int32 [samples, steps · features] for integers x [samples, features] (delta: over time too) in
    low … high; `encoder` is one of `ENCODERS`, the rest are the fields of `SpikeEncoder`."""
    if encoder == "delta":
        return _changes(x.reshape(len(x), steps, x.shape[1] // steps), change)
    features, levels = x.shape[1], high - low
    count = (x.astype(np.int64) - low)[:, None, :]
    events: npt.NDArray[Any]
    at = np.arange(steps)[None, :, None]
    if encoder == "direct":
        events = np.broadcast_to(x[:, None, :], (len(x), steps, features))
    elif encoder == "unary":
        events = at < count
    elif encoder == "ttfs":
        events = (at == levels - count) & (count > 0)
    else:
        events = uniform_draws(seed, steps * features, levels).reshape(1, steps, features) < count
    return events.reshape(len(x), steps * features).astype(np.int32)


def _changes(x: IntArray, least: int) -> npt.NDArray[np.int32]:
    events = np.zeros(x.shape, np.int32)
    last = np.zeros((x.shape[0], x.shape[2]), np.int32)
    for step in range(x.shape[1]):
        difference = x[:, step] - last
        sent = np.where(np.abs(difference) >= least, difference, 0)
        events[:, step] = sent
        last = last + sent
    return events.reshape(len(x), -1)
