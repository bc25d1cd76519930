"""What of an HDF5 file is followed and read: plain groups, datasets and attributes of the file itself, within bounds.

HDF5 can name other files (external links, external storage, virtual datasets), turn in circles (soft and hard links)
and claim any size for a dataset that stores nothing or is compressed. The file is read as a whole, as a regular file,
and opened in memory; links and datasets of those kinds are refused, and sizes are counted before memory is taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EdgemlError, InputError, printable

__all__ = ["MOST_BYTES", "Hdf5File", "opened"]

MOST_BYTES = 2**28
"""Bytes of the file, and of all that is read from it, unpacked."""
_LONGEST_TEXT = 4096
_MOST_PACKING = 1100
"""Deflate, the strongest of HDF5's own filters, packs 1,032 bytes of zeros into one."""


class Hdf5File:
    """An HDF5 file, its content counted while it is read.

    Parameters
    ----------
    root : the open h5py.File.
    where : what the file is called in errors.
    content : its bytes.
    """

    def __init__(self, root: Any, where: str, content: bytes) -> None:
        import h5py

        self._h5py, self._content = h5py, content
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
        if self._read > MOST_BYTES:
            raise InputError(self.where, f"holds more than {MOST_BYTES} bytes with {name}")
        if size > _MOST_PACKING * max(int(dataset.id.get_storage_size()), 64):
            raise InputError(self.where, f"{name} claims {dataset.size} items, which the file does not store")
        return np.asarray(dataset[()])

    def text(self, holder: Any, name: str) -> str | None:
        """The attribute of that name as one text, or None where there is none; InputError if it is not a text, or
        claims to be longer than the file: HDF5 takes that memory before it looks."""
        if name not in holder.attrs:
            return None
        attribute = holder.attrs.get_id(name)
        if self._h5py.check_string_dtype(attribute.dtype) is None or attribute.shape != ():
            raise InputError(self.where, f"its attribute {printable(name, 60)!r} is not a text")
        if attribute.dtype.kind != "S" and not 0 <= self._claimed_length(name) <= len(self._content):
            raise InputError(self.where, f"its attribute {printable(name, 60)!r} claims more text than the file holds")
        found = holder.attrs[name]
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)

    def _claimed_length(self, name: str) -> int:
        """The largest length that a text of free length in an attribute called `name` claims, −1 if none is found.

        Looked for in the bytes are attribute messages (HDF5 File Format Specification 3.0, IV.A.2.m): version, flags,
        sizes of name, type and space, the name, type, space, and then the length in 4 bytes and where the text lies.
        """
        called = name.encode() + b"\0"
        longest, at = -1, self._content.find(called)
        while at >= 0:
            for version, start in ((1, at - 8), (2, at - 8), (3, at - 9)):
                if start < 0 or self._content[start] != version:
                    continue
                sizes = struct.unpack_from("<HHH", self._content, start + 2)
                # Version 1 fills each part up to 8 bytes.
                end = at + sum(-(-size // 8) * 8 if version == 1 else size for size in sizes)
                if sizes[0] == len(called) and end + 4 <= len(self._content):
                    longest = max(longest, *struct.unpack_from("<I", self._content, end))
            at = self._content.find(called, at + 1)
        return longest


@contextmanager
def opened(content: bytes, where: str, kind: str) -> Iterator[Hdf5File]:
    """The HDF5 file of these bytes, which errors call `where` and of which they say that it is not a sound `kind`;
    whatever h5py raises in the block becomes an InputError."""
    import h5py

    try:
        with h5py.File(h5py.h5f.open_file_image(content), "r") as file:
            yield Hdf5File(file, where, content)
    except EdgemlError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError) as error:
        text = printable(f"{type(error).__name__}: {error}", 400)
        raise InputError(where, f"is not a sound {kind} ({text})") from error
