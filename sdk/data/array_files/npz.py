"""Several arrays in a `.npz` file, a zip file of `.npy` files."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy.typing as npt

from ...errors import InputError, printable
from ...system.regular_file import open_regular
from .npy import LARGEST_ARRAY, array_of

__all__ = ["read_npz"]

_LARGEST_DIRECTORY = 2**22
_ORDINARY_SIZE = 2**28
_MOST_PACKING = 200
"""How many bytes of an array one byte of the file may stand for, past `_ORDINARY_SIZE`: no measured data is so even."""
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


class _SmallReads:
    """A file of which no more than a bounded directory is read at once, however large the file says that it is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        content = b"" if size > _LARGEST_DIRECTORY else self._stream.read(size if size >= 0 else _LARGEST_DIRECTORY)
        if size > _LARGEST_DIRECTORY or (size < 0 and len(content) == _LARGEST_DIRECTORY):
            raise zipfile.BadZipFile("its directory of members is too large")
        return content


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """Those of the arrays `names` that the file holds; InputError where it is not sound or holds none of them."""
    with open_regular(path, LARGEST_ARRAY) as stream:
        try:
            with zipfile.ZipFile(cast(BinaryIO, _SmallReads(stream))) as archive:
                return _arrays(path, archive, names)
        except _DAMAGES as error:
            raise InputError(str(path), f"is damaged or not what its name says ({printable(error)})") from error


def _arrays(path: Path, archive: zipfile.ZipFile, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    counts = Counter(archive.namelist())
    arrays = {}
    total = 0
    for name in names:
        member, where = f"{name}.npy", f"{path}, {name}"
        if member not in counts:
            continue
        if counts[member] > 1:
            raise InputError(where, "occurs twice in the file", "Save it with numpy.savez")
        info = archive.getinfo(member)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise InputError(where, "is packed in a way that numpy does not write", "Save it with numpy.savez")
        total += info.file_size
        if total > LARGEST_ARRAY:
            raise InputError(where, f"claims {info.file_size} bytes; at most {LARGEST_ARRAY} are read in all")
        if info.file_size > max(_ORDINARY_SIZE, _MOST_PACKING * info.compress_size):
            raise InputError(where, f"claims {info.file_size} bytes, packed into {info.compress_size}")
        with archive.open(info) as stream:
            arrays[name] = array_of(where, cast(BinaryIO, stream), info.file_size)
    if not arrays:
        found = printable(list(counts)[:9])
        raise InputError(str(path), f"holds none of the arrays {', '.join(names)}: {found}")
    return arrays
