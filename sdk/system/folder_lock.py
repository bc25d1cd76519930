"""Folders that belong to a process as long as it lives, and are told from those that a dead one left behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without these locks: nothing of another process is ever removed there
    fcntl = None  # type: ignore[assignment]

__all__ = ["claim", "one_at_a_time", "remove_abandoned"]


def claim(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock until it is closed or its process ends; None if it cannot be had."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another process, or not to be had on this file system
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Others that use this on `folder` wait meanwhile. Where the file system has no locks, nobody waits."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders in `parent` whose names begin with `prefix` and which no living process has claimed.

    To be called inside `one_at_a_time(parent)`, in which new ones are made and claimed, too.
    """
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    held = claim(Path(entry.path))
                    if held is not None:
                        shutil.rmtree(entry.path, ignore_errors=True)
                        os.close(held)
