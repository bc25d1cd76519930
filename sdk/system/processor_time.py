"""How much time a program and all that it started have taken, whatever else the computer does."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["SpentTime"]

_STATE, _SESSION, _FIRST_TIME = 0, 3, 11
"""Places in /proc/PID/stat behind the program's name: the state, the session, and four times (see proc(5)): in the
program and in the system for it, and both of the processes that it waited for."""


class SpentTime:
    """Processor time of all processes of a session, and time in which none of them wanted a processor.

    A program that waits for a processor of a busy computer spends nothing meanwhile; one that sleeps does. Where the
    system has no /proc to tell them apart, it is time on the clock.
    """

    def __init__(self, session: int) -> None:
        self._session = session
        self._looked = time.monotonic()
        self._processor = 0.0
        self._idle = 0.0

    def seconds(self) -> float:
        """What was spent until now. To be asked often: idle is the time between two looks that found it so."""
        before, self._looked = self._looked, time.monotonic()
        found = _of_session(self._session)
        if found is None:
            self._idle += self._looked - before
        else:
            processor, wants_more = found
            if processor <= self._processor and not wants_more:
                self._idle += self._looked - before
            self._processor = max(processor, self._processor)
        return self._processor + self._idle


def _of_session(session: int) -> tuple[float, bool] | None:
    """Seconds of processor time, those of processes that ended and were waited for too, and whether one runs or could.

    None where the system has no /proc.
    """
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    ticks, runs = 0, False
    for name in names:
        try:
            fields = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[_SESSION]) == session:
            ticks += sum(int(field) for field in fields[_FIRST_TIME : _FIRST_TIME + 4])
            runs |= fields[_STATE] == b"R"
    return (ticks / os.sysconf("SC_CLK_TCK"), runs) if names else None
