"""Programs of others: run with a time limit, and ended with the process that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import TypeVar

from ..errors import MissingTool, ToolFailed
from .processor_time import SpentTime
from .time_limit import timed_out

__all__ = ["end_tools", "run_tool", "side_by_side"]

Item = TypeVar("Item")
Found = TypeVar("Found")

_TO_STOP = 1.0
"""Seconds that an interrupted tool has to end by itself, at least."""
_LOOK = 0.5
"""Seconds between two looks at what a tool has taken."""

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


def run_tool(
    command: Sequence[str],
    folder: Path,
    seconds: float,
    tool: str,
    environment: Mapping[str, str] | None = None,
    remedy: str = "",
    *,
    stops: bool = False,
    watch: Callable[[], None] = lambda: None,
) -> str:
    """Run a program in `folder`; what it printed, on both its outputs.

    seconds : its limit, as `time_limit.seconds_for` gives it: of processor time of all that it starts and of time in
    which none of it wants a processor; where the system does not tell these, on the clock. tool : its name in errors.
    remedy : what to do where it fails. stops : at its limit it is interrupted, as by Ctrl-C, and that is no failure.
    watch : called twice a second while it runs.

    Raises ToolFailed with the end of what it said where it fails or takes too long, MissingTool where it cannot be
    started.
    """
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment) if environment is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that it can be ended with all that it started
            preexec_fn=_heed_interrupts if stops and signal.getsignal(signal.SIGINT) == signal.SIG_IGN else None,
        )
    except OSError as error:
        raise MissingTool(tool, f"cannot be started ({error})") from error
    with _lock:
        _running.add(process)
    try:
        with process:
            try:
                output, stopped = _output(process, seconds, stops, watch)
            except subprocess.TimeoutExpired as error:
                raise timed_out(tool, seconds) from error
            finally:
                _end(process)
    finally:
        with _lock:
            _running.discard(process)
    text = output.decode("utf-8", "replace")
    if process.returncode and not stopped:
        raise ToolFailed(tool, f"failed with status {process.returncode}:\n{text.strip()[-3000:]}", remedy)
    return text


def _heed_interrupts() -> None:
    """A shell starts what it runs in the background with interrupts ignored, and so would all that this starts be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _output(
    process: subprocess.Popen[bytes], seconds: float, stops: bool, watch: Callable[[], None]
) -> tuple[bytes, bool]:
    """What a program printed, and whether it was interrupted; TimeoutExpired where it is beyond its limit."""
    spent, stopped = SpentTime(process.pid), False
    while True:
        try:
            return process.communicate(timeout=min(_LOOK, seconds))[0], stopped
        except subprocess.TimeoutExpired:
            watch()
        if spent.seconds() < seconds:
            continue
        if not stops or stopped:
            raise subprocess.TimeoutExpired("", seconds)
        stopped = True
        seconds += max(seconds, _TO_STOP)
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGINT)


def end_tools() -> None:
    """End all programs that run now, in whatever thread: for a process that was told to end."""
    for process in list(_running):  # without the lock: a signal may come while it is held
        _end(process)


def side_by_side(function: Callable[[Item], Found], items: Sequence[Item], most: int) -> list[Found]:
    """`function` of each item, at most so many at a time, in threads that have the time limit of the caller.

    The first error ends what has not begun; an interruption also the programs that run.
    """
    with ThreadPoolExecutor(max_workers=max(1, most)) as pool:
        futures = [pool.submit(copy_context().run, function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            for future in futures:
                future.cancel()
            if not isinstance(error, Exception):
                end_tools()
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and what it started, if it still runs."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
