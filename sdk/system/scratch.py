"""Temporary folders of edgeml: in one place that is the user's, gone when they are no longer needed.

A process that was killed cannot remove its own; the next one to make a temporary folder does.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import weakref
from pathlib import Path

from ..errors import InputError
from .files import unwritable
from .folder_lock import claim, one_at_a_time, remove_abandoned
from .private_folder import make_private

__all__ = ["ScratchFolder", "scratch_place"]


def scratch_place() -> Path:
    """Where temporary folders lie: `edgeml-USER` in the system's temporary folder ($TMPDIR), private to the user."""
    owner = str(os.getuid()) if hasattr(os, "getuid") else "own"
    return Path(tempfile.gettempdir()) / f"edgeml-{owner}"


class ScratchFolder:
    """A temporary folder: `with ScratchFolder("simulation") as path: …`, or `path` and `remove()`.

    It is removed at the latest when this object is, or when Python ends.

    Parameters
    ----------
    purpose : a word for its name.

    Raises InputError where none can be made, with what to do.
    """

    def __init__(self, purpose: str) -> None:
        place = scratch_place()
        try:
            if make_private(place):  # somebody else may have made that name: then one of the system's own
                self.path, lock = Path(tempfile.mkdtemp(prefix=f"edgeml-{purpose}-")), None
            else:
                with one_at_a_time(place):
                    remove_abandoned(place, "")
                    self.path = place / f"{purpose}-{secrets.token_hex(6)}"
                    self.path.mkdir(mode=0o700)
                    lock = claim(self.path)
        except OSError as error:
            failed = unwritable(tempfile.gettempdir(), error)
            raise InputError(failed.where, failed.problem, f"{failed.remedy}; $TMPDIR names the place") from error
        self._end = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def remove(self) -> None:
        """Remove the folder and all in it; once more does nothing."""
        self._end()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def _remove(path: Path, lock: int | None, owner: int) -> None:
    if os.getpid() != owner:  # a forked process that ends
        return
    shutil.rmtree(path, ignore_errors=True)
    if lock is not None:
        os.close(lock)
