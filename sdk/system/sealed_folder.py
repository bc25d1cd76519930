"""The files of a bundle: regular ones below its folder, each listed with its size and SHA-256, and no others.

"Every file is checked" is true only if nothing else is there: a link, or a file that the list does not name, would be
read by whoever opens the bundle without ever having been compared.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import InputError, printable
from .regular_file import open_regular

__all__ = ["check_files", "describe_files", "sha256_of"]

_LARGEST_BUNDLE = 2**33
_MOST_FILES = 20_000
_BLOCK = 2**20


def describe_files(folder: Path, own: str) -> dict[str, dict[str, Any]]:
    """`{"bytes", "sha256"}` of every file below `folder` by name, but for `own`, the file that will hold the list."""
    return {
        name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for name, path in sorted(_files(folder))
        if name != own
    }


def check_files(folder: Path, listed: Mapping[str, Mapping[str, Any]], own: str) -> None:
    """Hold what lies below `folder` against the list.

    Raises
    ------
    InputError : a file is missing or differs; something there is a link or a device, or is not listed; a name leads out
        of the folder; or it is more than a bundle may hold.
    """
    for name in listed:
        _check_name(folder, name, own)
    left = dict(listed)
    total = 0
    for name, path in _files(folder):
        if name == own:
            continue
        entry = left.pop(name, None)
        if entry is None:
            raise InputError(
                str(path), f"is not listed in {own}, and so cannot be checked", "Move it out of the bundle's folder"
            )
        total += path.stat().st_size
        if total > _LARGEST_BUNDLE:
            raise InputError(str(folder), f"holds more than {_LARGEST_BUNDLE} bytes")
        if path.stat().st_size != entry["bytes"] or sha256_of(path) != entry["sha256"]:
            raise InputError(str(path), f"differs from what {own} says of it", "Convert again, or restore the file")
    if left:
        raise InputError(str(folder / min(left)), "cannot be read (it is not there)", "Convert again")


def _check_name(folder: Path, name: str, own: str) -> None:
    """InputError where a listed name is not the plain path of a file below the folder."""
    parts = PurePosixPath(name).parts
    if not parts or "/".join(parts) != name or parts[0] == "/" or ".." in parts or "\\" in name or "\0" in name:
        raise InputError(str(folder / own), f"names a file outside the bundle: {printable(repr(name))}")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files below `folder` by name; InputError at the first thing that is neither a file nor a folder."""
    waiting, count = [""], 0
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(str(folder / below), f"cannot be read ({error.strerror or error})") from error
        for entry in entries:
            count += 1
            if count > _MOST_FILES:
                raise InputError(str(folder), f"holds more than {_MOST_FILES} files and folders")
            name = f"{below}{entry.name}"
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                waiting.append(f"{name}/")
            elif stat.S_ISREG(mode):
                yield name, folder / name
            else:
                kind = "link" if stat.S_ISLNK(mode) else "device, FIFO or socket"
                remedy = "Put the file itself there, or convert again"
                raise InputError(str(folder / name), f"is a {kind}, which a bundle does not hold", remedy)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits; InputError where it is a link or cannot be read."""
    digest = hashlib.sha256()
    with open_regular(path, _LARGEST_BUNDLE, links=False) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
