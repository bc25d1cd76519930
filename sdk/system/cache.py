"""What took long to make (compiled libraries, simulations, firmware), kept for the next time in the user's cache.

`$EDGEML_CACHE`, else `edgeml` in the user's cache folder ($XDG_CACHE_HOME or ~/.cache). Entries are found by a digest
of all that they were made from, and their names hold the digest of their content: what is damaged is not found. Code is
loaded from here, so that every folder and file must belong to the user and be writable by nobody else. Any number of
processes may use it at once. Where it cannot be had, that is said once on stderr, and everything is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import stat
import time
from functools import cache
from pathlib import Path

from .private_folder import is_private, make_private

__all__ = ["cache_place", "digest_of", "find", "find_all", "keep"]

_MOST_ENTRIES = 256
_MOST_BYTES = 512 * 2**20
"""Of each kind; the least recently used go first."""
_ABANDONED_SECONDS = 3600.0
_OWN = ("firmware", "libraries", "proofs", "simulations", "verilat", "native", "programs", "partial-")
"""How names in the cache's folder begin, those of earlier versions included."""
_KINDS = frozenset({"firmware", "libraries", "proofs", "simulations", "verilator"})

_log = logging.getLogger(__name__)


def cache_place() -> Path:
    """The folder of the cache, whether or not it is there."""
    if given := os.environ.get("EDGEML_CACHE"):
        return Path(given).absolute()
    above = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(above).absolute() / "edgeml"


def digest_of(*parts: str | bytes) -> str:
    """A key: SHA-256 of `parts`, each with its length."""
    key = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        key.update(len(content).to_bytes(8, "little") + content)
    return key.hexdigest()


def find(kind: str, key: str) -> Path | None:
    """The file kept last under `key` (as `digest_of` gives it), whole and the user's alone; None if there is none."""
    return next(iter(find_all(kind, key)), None)


def find_all(kind: str, key: str) -> list[Path]:
    """All files kept under `key`, each whole and private to the user, the one that was kept last first."""
    folder = _folder(kind)
    found: list[tuple[int, Path]] = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob(f"{key}-*")) if folder is not None else []:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or not is_private(status) or status.st_size > _MOST_BYTES:
                continue
            if hashlib.sha256(path.read_bytes()).hexdigest() == path.name.rpartition("-")[2]:
                found.append((status.st_mtime_ns, path))
            else:
                path.unlink(missing_ok=True)
        found.sort(key=lambda each: each[0])
        now = time.time_ns()
        for place, (_, path) in enumerate(found):  # in their order: the last stays the last
            os.utime(path, ns=(now + place, now + place))
    return [path for _, path in reversed(found)]


def keep(kind: str, key: str, content: bytes) -> Path | None:
    """Keep `content` under `key`, readable and executable by the user alone; where it lies, or None if it cannot be.

    A full disk or a limit costs no more than the next making.
    """
    folder = _folder(kind)
    if folder is None or len(content) > _MOST_BYTES:
        return None
    path = folder / f"{key}-{hashlib.sha256(content).hexdigest()}"
    partial = folder / f"partial-{secrets.token_hex(8)}"
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        _say_once(f"cannot keep {len(content)} bytes ({error.strerror or error})")
        return None
    _drop_oldest(folder)
    return path


def _folder(kind: str) -> Path | None:
    if kind not in _KINDS:
        raise ValueError(f"the cache keeps {sorted(_KINDS)}, not {kind!r}")
    problem = _shared(cache_place()) or make_private(cache_place(), kind)
    if problem:
        _say_once(problem)
        return None
    return cache_place() / kind


def _shared(place: Path) -> str:
    """Why a folder is not to be made private: others can write to it, and it holds more than a cache."""
    try:
        if not place.stat().st_mode & 0o022:
            return ""
        other = next((path.name for path in place.iterdir() if not path.name.startswith(_OWN)), "")
    except OSError:
        return ""
    return f"others can write to it, and it holds {other!r}" if other else ""


@cache
def _say_once(problem: str) -> None:
    _log.warning("edgeml: the cache %s is not used: %s; $EDGEML_CACHE names another place", cache_place(), problem)


def _drop_oldest(folder: Path) -> None:
    """Remove what is beyond the limits, and the pieces that killed processes left."""
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # dropped by another process
            status = path.lstat()
            if not path.name.startswith("partial-"):
                found.append((status.st_mtime_ns, status.st_size, path))
            elif time.time() - status.st_mtime > _ABANDONED_SECONDS:
                path.unlink()
    kept = 0
    for number, (_, size, path) in enumerate(sorted(found, reverse=True)):
        kept += size
        if number >= _MOST_ENTRIES or kept > _MOST_BYTES:
            with contextlib.suppress(OSError):
                path.unlink()
