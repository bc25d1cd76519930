"""Libraries that were compiled for this machine, kept in a folder that only this user can write."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from .compiler import Compiler

_MOST_LIBRARIES = 256

__all__ = ["build_library", "cache_folder"]


@cache
def cache_folder() -> Path:
    """`$EDGEML_CACHE`, else `edgeml` in the user's cache folder, if it is (or can be made) private to the user; else a
    fresh temporary folder. Code is loaded from here: nobody else may be able to put any there."""
    base = os.environ.get("EDGEML_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "edgeml"
    )
    folder = Path(base) / "native"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="edgeml-"))
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022
    if hasattr(os, "getuid"):
        private = private and found.st_uid == os.getuid()
    return folder if private and os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="edgeml-"))


def build_library(compiler: Compiler, files: Mapping[str, str], sources: Sequence[str], flags: Sequence[str]) -> Path:
    """A shared library of `files` (text by relative path), of which `sources` are compiled; built once for the same
    files, compiler and flags, and renamed into place when it is whole."""
    key = hashlib.sha256()
    for part in (
        *compiler.command,
        compiler.version,
        _machine(),
        *flags,
        *sources,
        *(t for f in files.items() for t in f),
    ):
        encoded = part.encode()
        key.update(len(encoded).to_bytes(8, "little") + encoded)
    folder = cache_folder() / key.hexdigest()
    library = folder / "network.so"
    if library.exists():
        return library
    _forget_oldest()
    building = cache_folder() / f".{secrets.token_hex(8)}"
    building.mkdir(mode=0o700)
    try:
        for name, text in files.items():
            path = building / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        compiler.shared_library([building / name for name in sources], building / "network.so", flags)
        try:
            building.rename(folder)
        except OSError:  # another process was quicker
            if not library.exists():
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return library


def _forget_oldest() -> None:
    """Keep the cache small: a library that is in use stays, as far as its user is concerned, after its removal."""
    kept = []
    for folder in cache_folder().iterdir():
        with contextlib.suppress(OSError):
            kept.append((folder.stat().st_mtime, folder))
    for _, folder in sorted(kept)[: max(0, len(kept) - _MOST_LIBRARIES)]:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _machine() -> str:
    """What -march=native means here: a home folder may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return " ".join(os.uname()) if hasattr(os, "uname") else ""
    wanted = ("model name", "flags", "features", "cpu part")
    return "\n".join(dict.fromkeys(line for line in lines if line.lower().startswith(wanted)))
