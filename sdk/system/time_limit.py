"""How long a tool may take: each has a limit of its own, which the user's `time_limit` takes the place of.

Programs are held to it by processor time (`tool.run_tool`), so that a busy computer changes nothing; what runs within
this process, and devices, by the clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import InputError, ToolFailed

__all__ = ["OPTION", "TimedOut", "seconds_for", "time_limit", "timed_out"]

OPTION = "--time-limit SECONDS (in Python time_limit=SECONDS)"
_LONGEST = 10_000_000.0

_asked: ContextVar[float | None] = ContextVar("time_limit", default=None)


class TimedOut(ToolFailed):
    """A tool had not ended within its limit: nothing is known of what it was to do."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Inside the block each call of a tool may take `seconds`; None leaves every tool its own limit.

    Raises InputError where that is not a positive number of seconds.
    """
    if seconds is not None and not (isinstance(seconds, (int, float)) and 0 < seconds < math.inf):
        raise InputError("option time_limit", f"must be a positive number of seconds, found {seconds!r}")
    token = _asked.set(None if seconds is None else min(float(seconds), _LONGEST))
    try:
        yield
    finally:
        _asked.reset(token)


def seconds_for(default: float) -> float:
    """The seconds that a call of a tool may take here: the user's, else `default`.

    To be asked in the thread that verifies or converts, not in one that it starts.
    """
    asked = _asked.get()
    return default if asked is None else asked


def timed_out(tool: str, seconds: float) -> TimedOut:
    """The error of a tool that had not ended after `seconds`: names the option that gives it more."""
    return TimedOut(tool, f"had not ended after {seconds:g} s", f"Allow it more by {OPTION}")
