"""What a signal does to the command line: everything is tidied up on the way out, and tools end with it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..system.tool import end_tools

__all__ = ["Interrupted", "tidy_on_signals"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(BaseException):
    """Raised in the main thread by a signal. No handler of ordinary errors takes it, every clean-up runs."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """As shells count it."""
        return 128 + self.number


@contextmanager
def tidy_on_signals() -> Iterator[None]:
    """Inside the block SIGINT, SIGTERM and SIGHUP raise `Interrupted` and end the tools that run; a second one ends
    the process at once. In other threads than the main one, nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != owner:  # a process that was forked from this one: not ours to tidy up
            os.kill(os.getpid(), number)
            return
        end_tools()
        raise Interrupted(number)

    # One that is ignored stays so: `nohup` ignores SIGHUP, a shell SIGINT for what runs in the background.
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [number for number in _SIGNALS if before[number] is not signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(number, end)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
