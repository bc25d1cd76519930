"""A folder that appears whole or not at all, however many runs write to one place, and whatever ends them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..bundle import MANIFEST
from ..errors import InputError
from .files import read_json, unwritable
from .folder_lock import claim, one_at_a_time, remove_abandoned

__all__ = ["check_output", "unfinished_folder"]

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
    check_output(final)
    partial: Path | None = None
    lock: int | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(final.parent):
            remove_abandoned(final.parent, _prefix(final))
            partial = _partial(final)
            partial.mkdir()
            lock = claim(partial)
        yield partial
        replaced = _partial(final)
        with one_at_a_time(final.parent):
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


def check_output(final: Path) -> None:
    """InputError where `unfinished_folder(final)` would refuse what stands there; for long work, before it begins."""
    if not re.fullmatch(r"[^\x00-\x1f/\\]+", Path(os.path.abspath(final)).name):
        raise InputError(ascii(str(final)), "is not a name for a folder", "Give a folder with -o")
    try:
        _check_replaceable(final)
    except OSError as error:
        raise unwritable(final, error) from error


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
