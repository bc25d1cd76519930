"""Tensors of ONNX files as arrays, every size checked against what is really there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...system.regular_file import open_regular
from ..reading.raw_tensor import RawTensor

__all__ = ["NUMBER_TYPES", "tensor_array", "tensor_shape"]

NUMBER_TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}
"""Number types by their code in ONNX."""

_TYPED_FIELDS = {
    "float32": "float_data",
    "float64": "double_data",
    "int64": "int64_data",
    "uint32": "uint64_data",
    "uint64": "uint64_data",
}
_EXTERNAL = 1
_PACKED = {21: "uint4", 22: "int4"}
"""Two numbers in a byte, the first in its lower half; computed with as bytes."""
_LARGEST_EXTERNAL = 2**34


def tensor_shape(tensor: Any, where: str) -> tuple[int, ...]:
    """The shape of a TensorProto."""
    if len(tensor.dims) > 16 or any(size < 0 for size in tensor.dims):
        raise InputError(where, f"has shape {list(tensor.dims[:16])}")
    return tuple(tensor.dims)


def tensor_array(tensor: Any, where: str, folder: Path | None) -> npt.NDArray[Any]:
    """The numbers of a TensorProto, real ones as float64 exactly.

    Parameters
    ----------
    folder : where the model file lies, for tensors stored in a file beside it; None: no such file is read.
    """
    shape = tensor_shape(tensor, where)
    packed = tensor.data_type in _PACKED
    number_type = _PACKED.get(tensor.data_type, NUMBER_TYPES.get(tensor.data_type))
    if number_type is None:
        raise InputError(where, f"holds numbers of ONNX type {tensor.data_type}, which no MLP has")
    if shape == (0,):
        # Some operators take an empty list for an argument that is left out.
        return np.zeros(shape, np.float64 if "float" in number_type else np.int64)
    count = math.prod(shape)
    if packed:
        size = -(-count // 2)
    else:
        size = count * (2 if number_type == "bfloat16" else np.dtype(number_type).itemsize)
    if tensor.data_location == _EXTERNAL:
        content = _external(tensor, where, folder, size)
    elif tensor.raw_data:
        content = bytes(tensor.raw_data)
    else:
        content = _typed(tensor, number_type, where)
    if len(content) != size:
        raise InputError(where, f"shape {list(shape)} of {number_type} needs {size} bytes, found {len(content)}")
    if packed:
        content, number_type = _unpacked(content, count, number_type)
    return RawTensor.contiguous(where, content, number_type, shape).array()


def _unpacked(content: bytes, count: int, number_type: str) -> tuple[bytes, str]:
    """4-bit integers as bytes of their own, and the type of these."""
    pairs = np.frombuffer(content, np.uint8)
    numbers = np.stack([pairs & 15, pairs >> 4], axis=1).reshape(-1)[:count].astype(np.int8)
    signed = number_type == "int4"
    return (numbers - 16 * (signed & (numbers > 7))).astype(np.int8).tobytes(), "int8" if signed else "uint8"


def _typed(tensor: Any, number_type: str, where: str) -> bytes:
    """The content as raw bytes of a tensor whose numbers are stored one by one."""
    stored = list(getattr(tensor, _TYPED_FIELDS.get(number_type, "int32_data")))
    # 16-bit floats are stored as their bits, in integers.
    numpy_type = {"float16": "uint16", "bfloat16": "uint16", "uint4": "uint8", "int4": "uint8"}.get(
        number_type, number_type
    )
    try:
        return np.array(stored, dtype=np.dtype(numpy_type).newbyteorder("<")).tobytes()
    except (OverflowError, ValueError) as error:
        raise InputError(where, f"holds numbers that are no {number_type} ({error})") from error


def _external(tensor: Any, where: str, folder: Path | None, size: int) -> bytes:
    """The content of a tensor stored in a file beside the model; never of any other file."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if folder is None:
        raise InputError(where, f"lies in another file ({location!r})", "Save the model as one file")
    root = folder.resolve()
    try:
        path = (root / location).resolve()
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(size)))
    except (ValueError, OSError, RuntimeError) as error:
        raise InputError(where, f"names its file badly ({error})") from error
    if not location or Path(location).is_absolute() or ".." in Path(location).parts or root not in path.parents:
        raise InputError(where, f"lies in {location!r}, outside the model's folder", "Save the model as one file")
    if length != size or offset < 0:
        raise InputError(where, f"needs {size} bytes of {location!r}, but names {length} at {offset}")
    with open_regular(path, _LARGEST_EXTERNAL, remedy="Keep that file beside the model") as file:
        if offset + size > path.stat().st_size:
            raise InputError(where, f"needs {size} bytes of {location!r} at {offset}, past its end")
        file.seek(offset)
        return file.read(size)
