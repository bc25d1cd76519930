"""How sure a count is: intervals for a share of trials and for a rate of events."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["poisson_upper", "wilson"]

_NORMAL_95 = 1.959964


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, JASA 22, 1927); (0, 1) without a trial.

    With p = successes / trials, n trials, z = 1.96: (p + z²/2n ± z · sqrt(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
    """
    if not trials:
        return 0.0, 1.0
    p, square = successes / trials, _NORMAL_95**2
    middle = p + square / (2 * trials)
    half = _NORMAL_95 * math.sqrt(p * (1 - p) / trials + square / (4 * trials**2))
    whole = 1 + square / trials
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def poisson_upper(events: int, confidence: float = 0.95) -> float:
    """The largest mean of a Poisson count that `events` or fewer leave possible with this confidence (exact, one side):
    the mean at which Σ_{k ≤ events} mean^k · e^−mean / k! is 1 − confidence. 3.0 for no event."""
    return _root(lambda mean: _poisson_at_most(events, mean) - (1 - confidence), 10.0 + 4 * events)


def _poisson_at_most(events: int, mean: float) -> float:
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))


def _root(falling: Callable[[float], float], high: float) -> float:
    """Where a falling function on 0 … high is 0."""
    low = 0.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
