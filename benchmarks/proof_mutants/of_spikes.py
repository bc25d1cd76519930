"""Faults in the schedules of spiking neurons, of all five encodings: increments, and the charge at the beginning.

The oracle pays for spikes one by one, for every accumulator in range.
"""

from __future__ import annotations

import numpy as np

from edgeml.network.spiking.encodings import ENCODINGS, encoding
from edgeml.network.spiking.schedule import Schedule
from edgeml.proof.network.spike_claims import fired

from .judged import Judged

__all__ = ["judge"]


def _changed(thresholds: np.ndarray, channel: int, spike: int, by: int) -> Schedule:
    """The schedule of thresholds with one increment, or the charge (spike −1), changed."""
    schedule = Schedule(thresholds.astype(np.int32))
    increments, charge = schedule.increments.copy(), schedule.charge.copy()
    if spike < 0:
        charge[channel] += by
    else:
        increments[channel, spike] = max(increments[channel, spike] + by, 0)
    vars(schedule).update(increments=increments, charge=charge)
    return schedule


def judge(seed: int) -> Judged:
    """A fault from a seed, judged by what the prover `network` says of spikes."""
    rng = np.random.default_rng(seed)
    name = tuple(ENCODINGS)[seed % len(ENCODINGS)]
    levels = int(rng.choice([1, 3, 7, 15]))
    thresholds = np.sort(rng.integers(-60, 60, (3, levels)), axis=1)
    low, high = rng.integers(-80, 0, 3), rng.integers(1, 80, 3)
    channel, spike, by = int(rng.integers(3)), int(rng.integers(-1, levels)), int(rng.choice([-2, -1, 1, 2]))
    schedule = _changed(thresholds, channel, spike, by)
    problems = fired(encoding(name), schedule, thresholds, (low, high))
    changes = False
    for z in range(int(low[channel]), int(high[channel]) + 1):
        left, given = z + int(schedule.charge[channel]), 0
        while given < levels and left >= schedule.increments[channel, given]:
            left, given = left - int(schedule.increments[channel, given]), given + 1
        changes |= given != int((z >= thresholds[channel]).sum())
    what = "the charge" if spike < 0 else f"increment {spike}"
    refuted = any(problems)
    return Judged("spiking schedules", f"{name}: {what} of channel {channel} by {by}", changes, refuted, refuted)
