"""A .nir file as HDF5, opened in memory within the bounds of `edgeml.system.hdf5_file`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeml.system import hdf5_file
from edgeml.system.hdf5_file import Hdf5File
from edgeml.system.regular_file import read_regular

from .write import h5py_module

__all__ = ["opened"]


@contextmanager
def opened(path: Path) -> Iterator[Hdf5File]:
    """The HDF5 file at `path`; whatever h5py raises in the block becomes an InputError that names the file."""
    h5py_module()
    with hdf5_file.opened(read_regular(path, hdf5_file.MOST_BYTES), str(path), ".nir file") as file:
        yield file
