"""Files that are never half-written, and JSON that is never larger than it may be."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from ..errors import InputError
from .regular_file import read_regular

__all__ = ["read_json", "unwritable", "write_beside"]

_REMEDIES = {
    errno.ENOSPC: "Free some space there, or write to another disk",
    errno.EDQUOT: "Free some of your quota there, or write to another disk",
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), or write to another file system",
    errno.EROFS: "Write to another place: this file system is read-only",
    errno.EACCES: "Write to a folder that is yours",
    errno.EPERM: "Write to a folder that is yours",
    errno.ENAMETOOLONG: "Give a shorter name",
    errno.ENOTDIR: "Give a path all of whose parents are folders",
    errno.ENOENT: "Check that the folder exists and was not removed meanwhile",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
}


def unwritable(path: str | os.PathLike[str], error: OSError) -> InputError:
    """The error of something that cannot be written to `path`: why, and what to do.

    Names the file that the system complained of where that is another one than `path`.
    """
    inner = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    beside = f", at {inner}" if inner and inner != os.fspath(path) else ""
    remedy = _REMEDIES.get(error.errno or 0, "Write to another place")
    return InputError(os.fspath(path), f"cannot be written ({error.strerror or error}{beside})", remedy)


def write_beside(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it; InputError where that fails, and nothing is left.

    A link stays, and what it leads to is replaced; a device (`/dev/null`, `/dev/stdout`) is written to as it is.
    """
    try:
        if path.is_symlink():
            path = path.resolve()
        found = path.stat().st_mode if path.exists() else stat.S_IFREG
        if stat.S_ISCHR(found):
            path.write_bytes(content)
            return
    except OSError as error:
        raise unwritable(path, error) from error
    if not stat.S_ISREG(found):
        raise InputError(str(path), "is there and is not a file; it is not overwritten", "Give another name")
    partial = path.with_name(f".{path.name[:80]}.partial-{secrets.token_hex(4)}")
    try:
        try:
            partial.write_bytes(content)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def read_json(path: Path, most: int, remedy: str = "", *, links: bool = True) -> Any:
    """The JSON document in a file of at most `most` bytes; InputError with `remedy` where it cannot be read."""
    content = read_regular(path, most, links=links, remedy=remedy)
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), f"is not sound JSON ({error})", remedy) from error


def _no_number(text: str) -> Any:
    """JSON has no NaN and no infinity, though Python's reader takes them."""
    raise ValueError(f"{text} is not a JSON number")
