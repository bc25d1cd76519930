"""Folders that this user alone can write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["is_private", "make_private"]


def is_private(status: os.stat_result) -> bool:
    """Whether what `status` tells of belongs to this user, and nobody else can write it."""
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def make_private(base: Path, *below: str) -> str:
    """Make the folder `base` and those `below` it, one in the other, for this user alone (mode 0700).

    One that is there and belongs to this user is made so where others could write it. Returns why one cannot be had or
    trusted, else an empty text. What lies above `base` is made if it is missing, as the system makes folders; it must
    not be open to everybody, but for folders in which each can remove what is theirs only (as in /tmp).
    """
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        if open_above := next((each for each in base.parent.resolve().parents if _open_to_all(each)), None):
            return f"everybody can write to {open_above}"
        if _open_to_all(base.parent):
            return f"everybody can write to {base.parent}"
        folder = base
        for part in ("", *below):
            folder = folder / part if part else folder
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode):
                return f"{folder} is a link or a file"
            if hasattr(os, "getuid"):
                if found.st_uid != os.getuid():
                    return f"{folder} belongs to somebody else"
                if found.st_mode & 0o022:
                    folder.chmod(0o700)
    except (OSError, RuntimeError) as error:
        return str(error)
    return "" if os.access(folder, os.W_OK) else f"{folder} cannot be written"


def _open_to_all(folder: Path) -> bool:
    mode = folder.stat().st_mode
    return hasattr(os, "getuid") and bool(mode & 0o002) and not mode & stat.S_ISVTX
