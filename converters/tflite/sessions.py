"""Workers of the runtimes that outlive one call for some seconds: to start one takes longer than most models run."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .runtimes import Runtime, Session

__all__ = ["close_idle", "session"]

_IDLE_SECONDS = 5.0

_lock = threading.Lock()
_idle: dict[tuple[str, str], tuple[Session, threading.Timer]] = {}
"""By runtime and its Python: a session that nobody uses, and the timer that will end it."""


@contextmanager
def session(runtime: Runtime) -> Iterator[Session]:
    """A session with `runtime`, as `Session(runtime)` opens it; one that ended well is kept for the next caller for
    5 seconds. Raises what `Session` raises."""
    key = (runtime.name, runtime.python())
    found = _take(key)
    if found is None or not found.alive:
        if found is not None:
            found.close()
        found = Session(runtime)
    try:
        yield found
    except BaseException:
        found.close()
        raise
    _keep(key, found)


def close_idle() -> None:
    """End every session that is kept."""
    for key in list(_idle):
        if (kept := _take(key)) is not None:
            kept.close()


def _take(key: tuple[str, str]) -> Session | None:
    with _lock:
        entry = _idle.pop(key, None)
    if entry is None:
        return None
    entry[1].cancel()
    return entry[0]


def _keep(key: tuple[str, str], kept: Session) -> None:
    timer = threading.Timer(_IDLE_SECONDS, _end, (key, kept))
    timer.daemon = True
    with _lock:
        another = key in _idle
        if not another:
            _idle[key] = (kept, timer)
            timer.start()
    if another:
        kept.close()


def _end(key: tuple[str, str], kept: Session) -> None:
    """The timer's end of a session, unless somebody has taken it in the meantime."""
    with _lock:
        entry = _idle.get(key)
        mine = entry is not None and entry[0] is kept
        if mine:
            del _idle[key]
    if mine:
        kept.close()


atexit.register(close_idle)
