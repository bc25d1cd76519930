"""One array in a `.npy` file: its header is held against the file's size before memory is taken."""

from __future__ import annotations

import ast
import io
import math
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ...errors import InputError, printable
from ...system.regular_file import open_regular

__all__ = ["LARGEST_ARRAY", "array_of", "read_npy", "to_npy"]

LARGEST_ARRAY = 2**32
"""Bytes that one array of a data file may take in memory."""

_MAGIC = b"\x93NUMPY"
_LENGTHS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}
"""How the length of the header is written, by version of the format."""
_LONGEST_HEADER = 10_000
_MOST_DIMENSIONS = 32
_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f(2|4|8|16)|U[1-9][0-9]{0,6})")
"""Numbers and text, as `numpy.dtype.str` says them."""
_LAST_CHARACTER, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)


def read_npy(path: Path) -> npt.NDArray[Any]:
    """The array in a `.npy` file; InputError where it is not sound."""
    with open_regular(path, LARGEST_ARRAY + _LONGEST_HEADER) as stream:
        return array_of(str(path), stream, path.stat().st_size)


def array_of(where: str, stream: BinaryIO, size: int) -> npt.NDArray[Any]:
    """The array in `size` bytes of a `.npy` that `stream` gives; `where` is what it is called in errors."""
    text, start = _header(where, stream)
    dtype, fortran, shape = _claims(where, text)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > LARGEST_ARRAY:
        raise InputError(where, f"claims shape {list(shape)}, {wanted} bytes; at most {LARGEST_ARRAY} are read")
    if wanted != size - start:
        raise InputError(where, f"claims {wanted} bytes of data and holds {size - start}: truncated or damaged")
    content = stream.read(wanted)
    if len(content) != wanted or stream.read(1):
        raise InputError(where, f"does not hold the {wanted} bytes that it claims")
    try:
        array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    except ValueError as error:  # a dimension of 0 beside others that no array can have
        raise InputError(where, f"claims shape {list(shape)}, which no array can have") from error
    array = array.astype(dtype.newbyteorder("="), copy=False)
    if dtype.kind == "U":
        _check_text(where, array)
    return array


def _header(where: str, stream: BinaryIO) -> tuple[str, int]:
    """The header's text, and where the data begins."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != _MAGIC:
        raise InputError(where, "is not a sound .npy array (it does not begin as one)", "Save it with numpy.save")
    form = _LENGTHS.get((start[6], start[7]))
    if form is None:
        raise InputError(where, f".npy version {start[6]}.{start[7]} is not supported", "Save it with numpy.save")
    field = stream.read(struct.calcsize(form))
    length = struct.unpack(form, field)[0] if len(field) == struct.calcsize(form) else 0
    text = stream.read(length) if 0 < length <= _LONGEST_HEADER else b""
    if not length or len(text) != length:
        raise InputError(where, f"is not a sound .npy array (a header of {length} bytes)")
    return text.decode("latin-1"), 8 + len(field) + length


def _claims(where: str, text: str) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """Type, order and shape as the header says them: a dictionary of constants, nothing in it run."""
    try:
        header = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise InputError(where, f"is not a sound .npy array (its header is {printable(text, 60)!r})") from error
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise InputError(where, f"is not a sound .npy array (its header is {printable(text, 60)!r})")
    kind, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        found = printable(kind, 60)
        raise InputError(
            where, f"holds items of type {found!r}; only numbers and text are read, never pickled objects or records"
        )
    if not isinstance(fortran, bool):
        raise InputError(where, "is not a sound .npy array (fortran_order is neither True nor False)")
    if (
        not isinstance(shape, tuple)
        or len(shape) > _MOST_DIMENSIONS
        or not all(type(extent) is int and 0 <= extent < 2**62 for extent in shape)
    ):
        raise InputError(where, f"is not a sound .npy array (its shape is {printable(shape, 60)})")
    try:
        return np.dtype(kind), fortran, shape
    except TypeError as error:  # 16-byte reals, which some machines have not
        raise InputError(where, f"holds items of type {kind!r}, which this machine has not") from error


def _check_text(where: str, array: npt.NDArray[Any]) -> None:
    """Text of characters that Unicode has; InputError otherwise."""
    codes = np.ascontiguousarray(array).ravel().view(np.uint32)
    first, last = _SURROGATES
    if codes.size and (codes.max() > _LAST_CHARACTER or np.any((first <= codes) & (codes <= last))):
        raise InputError(where, "holds text with characters that Unicode does not have: it is damaged")


def to_npy(array: npt.NDArray[Any]) -> bytes:
    """`array` as the bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()
