"""The one way in which edgeml reads a file that it is given: a regular file, of no more than so many bytes.

A FIFO would be waited on for ever, a device has no end, a folder is a mistake: each is refused by its kind before a
byte is read. Kind and size are asked of the open file, so that nothing is exchanged between the look and the reading.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError

__all__ = ["holds", "open_regular", "read_regular"]

_KINDS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a FIFO or a pipe"),
    (stat.S_ISCHR, "is a character device"),
    (stat.S_ISBLK, "is a block device"),
    (stat.S_ISSOCK, "is a socket"),
)
# Without O_NONBLOCK, opening a FIFO that nobody writes to does not return.
_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_CLOEXEC", "O_NOCTTY", "O_NONBLOCK"):
    _FLAGS |= getattr(os, _name, 0)
_BLOCK = 2**20


@contextmanager
def open_regular(path: str | Path, most: int, *, links: bool = True, remedy: str = "") -> Iterator[BinaryIO]:
    """A regular file of at most `most` bytes, open for reading.

    Parameters
    ----------
    links : whether `path` itself may be a symbolic link.
    remedy : what to do about a file that cannot be read or is too large.

    Raises
    ------
    InputError : naming the path: it cannot be opened, is not a regular file, or is too large. An OSError while the file
        is read in the block of the `with` statement becomes one too.
    """
    where = str(path)
    try:
        descriptor = os.open(path, _FLAGS | (0 if links else getattr(os, "O_NOFOLLOW", 0)))
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL byte
        raise InputError(where, f"cannot be read ({_reason(error)})", remedy) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = next((text for test, text in _KINDS if test(status.st_mode)), "is something else")
            raise InputError(where, f"cannot be read: it {kind}, where a regular file is expected", remedy)
        if status.st_size > most:
            raise InputError(where, f"has {status.st_size} bytes; at most {most} are read", remedy)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            yield stream
    except OSError as error:
        raise InputError(where, f"cannot be read ({_reason(error)})", remedy) from error
    finally:
        os.close(descriptor)


def read_regular(path: str | Path, most: int, *, links: bool = True, remedy: str = "") -> bytes:
    """The content of a regular file of at most `most` bytes; InputError as `open_regular` raises it."""
    with open_regular(path, most, links=links, remedy=remedy) as stream:
        # A file may grow while it is read, and files of /proc tell no size.
        content = stream.read(os.fstat(stream.fileno()).st_size + 1)
        while len(content) <= most and (block := stream.read(_BLOCK)):
            content += block
    if len(content) > most:
        raise InputError(str(path), f"has more than {most} bytes, the most that are read", remedy)
    return content


def holds(path: str | Path, content: bytes) -> bool:
    """Whether `path` is a regular file, not a link, that holds exactly `content`; no more than its length is read."""
    try:
        return read_regular(path, len(content), links=False) == content
    except InputError:
        return False


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
