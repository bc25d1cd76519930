"""Who runs trials: this process, several processes of this machine, or (`ray_cluster`) a cluster.

One process asks the sampler and writes the storage; workers are handed a candidate and hand back an outcome. So one
trial function serves all three, nothing must be shared but the problem, and a killed worker loses its own trial.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for
from typing import Any, Protocol

from ..errors import CheckFailed
from .candidate import Candidate
from .trial import Failure, Judged, Outcome, Problem, Trials, run_guarded

__all__ = ["Handle", "Workers", "in_process", "processes"]

Handle = Any
"""A trial under way, as its workers know it."""


class Workers(Protocol):
    """Runs trials, `count` at a time."""

    count: int

    def start(self, candidate: Candidate, judged: Judged) -> Handle:
        """Begin a trial."""
        ...

    def finished(self, handles: Iterable[Handle]) -> dict[Handle, Outcome | Failure]:
        """Wait until at least one of these trials has ended; those that have."""
        ...


class _InProcess:
    count = 1

    def __init__(self, problem: Problem) -> None:
        self._trials = Trials(problem)
        self._waiting: dict[int, tuple[Candidate, Judged]] = {}
        self._next = 0

    def start(self, candidate: Candidate, judged: Judged) -> int:
        self._next += 1
        self._waiting[self._next] = candidate, judged
        return self._next

    def finished(self, handles: Iterable[int]) -> dict[int, Outcome | Failure]:
        handle = min(handles)
        return {handle: run_guarded(self._trials, *self._waiting.pop(handle))}


class _Processes:
    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool, self.count = pool, count

    def start(self, candidate: Candidate, judged: Judged) -> Future[Outcome | Failure]:
        return self._pool.submit(_run, candidate, judged)

    def finished(
        self, handles: Iterable[Future[Outcome | Failure]]
    ) -> dict[Future[Outcome | Failure], Outcome | Failure]:
        done, _ = wait(list(handles), return_when=FIRST_COMPLETED)
        try:
            return {future: future.result() for future in done}
        except BrokenProcessPool as error:
            raise CheckFailed(
                "explore, a worker", "ended on its own", "Run the same command again: the search goes on from there"
            ) from error


@contextmanager
def in_process(problem: Problem) -> Iterator[Workers]:
    """Trials one after another, here."""
    yield _InProcess(problem)


@contextmanager
def processes(problem: Problem, count: int) -> Iterator[Workers]:
    """Trials in `count` processes; they end with this one, however it ends."""
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_begin, initargs=(problem,))
    try:
        yield _Processes(pool, count)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_trials: Trials | None = None


def _begin(problem: Problem) -> None:
    """What a worker process does first."""
    global _trials
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _trials = Trials(problem)


def _end_with_parent() -> None:
    """A pool's workers wait for ever if their parent is killed: end them then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _run(candidate: Candidate, judged: Judged) -> Outcome | Failure:
    assert _trials is not None
    return run_guarded(_trials, candidate, judged)
