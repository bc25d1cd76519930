"""A folder that appears whole or not at all, however many runs write to one place, and whatever ends them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .bundle import MANIFEST
from .errors import InputError
from .files import read_json, unwritable

try:
    import fcntl
except ImportError:  # a system without these locks: nothing of another run is ever removed there
    fcntl = None  # type: ignore[assignment]

__all__ = ["unfinished_folder"]

_LARGEST_MANIFEST = 2**24
_LONGEST_NAME = 200
"""Bytes of a name that still leave room for what is put around it: file systems take 255."""


@contextmanager
def unfinished_folder(final: Path) -> Iterator[Path]:
    """A folder beside `final` to write a bundle into; renamed to `final` when the block ends without an error.

    A bundle that stood at `final` is replaced only then; anything that is not a bundle, or a bundle with files that
    edgeml did not write, is never replaced (InputError). Several runs may write to one place at once: each has a folder
    of its own, locked as long as it lives, and the last to end stays. A run that is killed leaves the old bundle, or
    for an instant none, and a hidden `.NAME.partial-…`, which the next run to the same place removes.

    An OSError in the block (no space, a limit, no permission) is raised as InputError with the path and what to do,
    and leaves nothing.
    """
    final = Path(os.path.abspath(final))
    if not re.fullmatch(r"[^\x00-\x1f/\\]+", final.name):
        raise InputError(ascii(str(final)), "is not a name for a folder", "Give a folder with -o")
    partial: Path | None = None
    lock: int | None = None
    try:
        _check_replaceable(final)
        final.parent.mkdir(parents=True, exist_ok=True)
        with _locked(final.parent):
            _remove_abandoned(final)
            partial = _partial(final)
            partial.mkdir()
            lock = _lock(partial)
        yield partial
        replaced = _partial(final)
        with _locked(final.parent):
            _check_replaceable(final)  # once more: something else may have come there meanwhile
            if final.exists():
                final.rename(replaced)
            partial.rename(final)
        shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        raise unwritable(final, error) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _check_replaceable(final: Path) -> None:
    """InputError where something stands at `final` that is neither an empty folder nor a bundle and nothing else."""
    problem = ""
    if final.is_symlink():
        problem = "is a link"
    elif final.exists() and not final.is_dir():
        problem = "is a file"
    elif final.exists() and not (final / MANIFEST).is_file():
        problem = "exists and is not a bundle" if any(final.iterdir()) else ""
    elif final.exists():
        manifest = read_json(final / MANIFEST, _LARGEST_MANIFEST)
        listed = manifest.get("files") if isinstance(manifest, dict) and "schema" in manifest else None
        if not isinstance(listed, dict):
            problem = f"holds a {MANIFEST} that is not of edgeml"
        else:
            files = (path.relative_to(final).as_posix() for path in final.rglob("*") if not path.is_dir())
            if foreign := next((name for name in files if name != MANIFEST and name not in listed), ""):
                problem = f"holds {foreign!r}, which is not of the bundle"
    if problem:
        raise InputError(
            str(final),
            f"{problem}; it is not overwritten",
            "Give another folder with -o, or move away what is there",
        )


def _partial(final: Path) -> Path:
    return final.parent / f"{_prefix(final)}{secrets.token_hex(4)}"


def _prefix(final: Path) -> str:
    name = final.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}.partial-"


def _remove_abandoned(final: Path) -> None:
    """Remove what killed runs to this place left. The folder of a run that is alive is locked, and stays."""
    prefix = _prefix(final)
    for entry in list(os.scandir(final.parent)):
        if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
            lock = _lock(Path(entry.path))
            if lock is not None:
                shutil.rmtree(entry.path, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the lock of a folder until it is closed, or its process ends; None if there is none."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another run, or not to be had on this file system
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Others that use this wait meanwhile; for an instant at a time. Without locks in the file system, nobody waits."""
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
