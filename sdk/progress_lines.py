"""Progress without a terminal: a plain line where work is at one place for some seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_lines"]


@contextmanager
def progress_lines(write: Callable[[str], None], seconds: float = 5.0) -> Iterator[Callable[[str], None]]:
    """Inside the block, tell the function that is given what is worked at; each `seconds` it is written, if it is
    another than before. Work that ends sooner writes nothing."""
    at = [""]
    ended = threading.Event()

    def told() -> None:
        written = ""
        while not ended.wait(seconds):
            if at[0] != written:
                written = at[0]
                write(written)

    def announce(what: str) -> None:
        at[0] = what

    thread = threading.Thread(target=told, daemon=True)
    thread.start()
    try:
        yield announce
    finally:
        ended.set()
        thread.join()
