"""What of an HDF5 file is followed and read: plain groups and datasets of the file itself, within bounds.

HDF5 can name other files (external links, external storage, virtual datasets), turn in circles (soft and hard links)
and claim any size for a dataset that stores nothing or is compressed. The file is read as a whole, as a regular file,
and opened in memory; links and datasets of those kinds are refused, and sizes are counted before memory is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import EdgemlError, InputError, printable
from edgeml.system.regular_file import read_regular

from .write import h5py_module

__all__ = ["StoredFile", "opened"]

_MOST_BYTES = 2**28
"""Bytes of the file, and of all that is read from it, unpacked."""
_LONGEST_TEXT = 4096
_MOST_PACKING = 1100
"""Deflate, the strongest of HDF5's own filters, packs 1,032 bytes of zeros into one."""


class StoredFile:
    """An HDF5 file, its content counted while it is read.

    Parameters
    ----------
    root : the open h5py.File.
    where : what the file is called in errors.
    """

    def __init__(self, root: Any, where: str) -> None:
        self._h5py = h5py_module()
        self.root = root
        self.where = where
        self._read = 0

    def member(self, group: Any, name: str) -> Any:
        """The group or dataset of that name in `group`, or None; InputError if it is a link to elsewhere."""
        link = group.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, self._h5py.HardLink):
            kind = type(link).__name__
            raise InputError(self.where, f"its entry {printable(name, 60)!r} is a {kind}; only its own content is read")
        return group[name]

    def group(self, group: Any, name: str) -> Any:
        """The group of that name in `group`, or None."""
        found = self.member(group, name)
        return found if isinstance(found, self._h5py.Group) else None

    def dataset(self, group: Any, name: str) -> Any:
        """The dataset of that name in `group`, or None; InputError if its numbers lie in another file."""
        found = self.member(group, name)
        if not isinstance(found, self._h5py.Dataset):
            return None
        if found.external or found.is_virtual:
            raise InputError(self.where, f"the numbers of {printable(name, 60)!r} lie in another file")
        return found

    def values(self, dataset: Any) -> npt.NDArray[Any]:
        """All numbers or texts of a dataset; InputError if it stores less than it claims, or too much."""
        name = printable(dataset.name, 80)
        text = self._h5py.check_string_dtype(dataset.dtype)
        item = dataset.dtype.itemsize
        if text is None and dataset.dtype.kind not in "fiu":
            raise InputError(self.where, f"{name} holds {printable(dataset.dtype, 60)}, neither numbers nor text")
        if item > (_LONGEST_TEXT if text is not None else 8):
            raise InputError(self.where, f"{name} holds items of {item} bytes")
        if dataset.shape is None:
            raise InputError(self.where, f"{name} holds nothing")
        size = int(dataset.size) * max(item, 8)
        self._read += size
        if self._read > _MOST_BYTES:
            raise InputError(self.where, f"holds more than {_MOST_BYTES} bytes with {name}")
        if size > _MOST_PACKING * max(int(dataset.id.get_storage_size()), 64):
            raise InputError(self.where, f"{name} claims {dataset.size} items, which the file does not store")
        return np.asarray(dataset[()])


@contextmanager
def opened(path: Path) -> Iterator[StoredFile]:
    """The HDF5 file at `path`; whatever h5py raises in the block becomes an InputError that names the file."""
    h5py = h5py_module()
    content = read_regular(path, _MOST_BYTES)
    try:
        with h5py.File(h5py.h5f.open_file_image(content), "r") as file:
            yield StoredFile(file, str(path))
    except EdgemlError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError) as error:
        text = printable(f"{type(error).__name__}: {error}", 400)
        raise InputError(str(path), f"is not a sound .nir file ({text})") from error
