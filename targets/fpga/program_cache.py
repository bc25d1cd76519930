"""Compiled simulation programs in the user's own cache folder, found by a digest of all that they were made from.

A program is stored behind the SHA-256 of its bytes, written beside and renamed, and read only from files and folders
that belong to the user and that nobody else can write; where that does not hold, nothing is kept. What is read is
copied, so that nothing is run from the cache itself. A bundle never brings a program.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "load_program", "store_program"]

_PROGRAMS = "programs"
_MOST_PROGRAMS = 48
_MOST_BYTES = 256 * 2**20
_DIGEST_BYTES = 32


def cache_folder(name: str = "") -> Path | None:
    """edgeml's cache folder of this user, or one below it, made if missing (mode 0700).

    None where it cannot be made, or where somebody else owns it or could write to it.
    """
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("edgeml", *([name] if name else [])):
            folder = folder / part
            folder.mkdir(mode=0o700, exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode) or not _is_private(folder.lstat()):
                return None
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    return folder


def _is_private(status: os.stat_result) -> bool:
    """Whether this user alone can write; always so where there are no such owners."""
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def load_program(key: str, target: Path) -> bool:
    """Copy the program stored under `key` to `target`, executable; False where there is none that can be trusted."""
    folder = cache_folder(_PROGRAMS)
    if folder is None:
        return False
    path = folder / key
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _is_private(status) or status.st_size > _MOST_BYTES:
                return False
            digest, content = file.read(_DIGEST_BYTES), file.read()
    except OSError:
        return False
    if hashlib.sha256(content).digest() != digest:
        path.unlink(missing_ok=True)
        return False
    target.write_bytes(content)
    target.chmod(0o700)
    with contextlib.suppress(OSError):
        os.utime(path)  # the least recently used go first
    return True


def store_program(key: str, program: Path) -> None:
    """Keep a program under `key`, and drop the least recently used beyond what a cache may hold."""
    folder = cache_folder(_PROGRAMS)
    if folder is None:
        return
    content = program.read_bytes()
    if len(content) + _DIGEST_BYTES > _MOST_BYTES:
        return
    with contextlib.suppress(OSError):  # a full disk costs no more than the next compilation
        descriptor, name = tempfile.mkstemp(prefix="partial-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(name, folder / key)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _drop_oldest(folder)


def _drop_oldest(folder: Path) -> None:
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # dropped by another process
            status = path.lstat()
            found.append((status.st_mtime_ns, status.st_size, path))
    kept = 0
    for number, (_, size, path) in enumerate(sorted(found, reverse=True)):
        kept += size
        if number >= _MOST_PROGRAMS or kept > _MOST_BYTES:
            path.unlink(missing_ok=True)
