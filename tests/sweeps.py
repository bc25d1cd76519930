"""How much of the long sweeps a run takes, and from which random numbers. One knob for all of them:

    pytest -m slow                     every case, from the seeds that stand in the tests
    pytest -m slow --sweep 0.1         a tenth of the cases: what each commit gets
    pytest -m slow --sweep-seed new    every case, from new seeds, which are printed: `make test-slow`

A sweep says `@pytest.mark.slow(scaled=True)` and asks `cases` how many to try and `seeds` or `seed_for` where to begin.
Of a sweep with four parameter sets or more, a third of them run where not every case does. Of the other slow tests of a
file, each parameter set being one, so many run, at least one; `slow(whole=True)` runs in the whole sweeps alone: what
takes a minute and is seen by another test (tests/conftest.py).
"""

from __future__ import annotations

import math

__all__ = ["cases", "seed_for", "seeds", "thinned"]

fraction = 1.0
"""The share of the cases that this run takes; set from `--sweep`."""

seed = 0
"""0: the seeds that stand in the tests. Else a number that all of them are moved by; set from `--sweep-seed`."""


def cases(whole: int) -> int:
    """How many of `whole` cases to try: at least one."""
    return max(1, math.ceil(whole * fraction))


def seed_for(written: int) -> int:
    """The seed to use where `written` stands in the test."""
    return written + seed * 1_000_003


def seeds(first: int, whole: int) -> range:
    """So many of `whole` seeds, from `first` on, as this run takes."""
    return range(seed_for(first), seed_for(first) + cases(whole))


def thinned(count: int, kept: int, name: str) -> set[int]:
    """Which `kept` of the `count` tests named `name` run: evenly spread, from a place that name and seed decide."""
    start = sum(name.encode()) + seed
    return {(start + place * count // kept) % count for place in range(kept)}
