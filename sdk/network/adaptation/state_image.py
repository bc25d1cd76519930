"""The state of an adapting network as bytes: what a device saves, and what is refused when it is loaded.

    u16 version, u16 0, u32 bytes of all, 8 bytes of the model's hash, u32 sequence number of the save,
    the state, u32 CRC-32 of all before

Least significant byte first throughout. `targets/c/adaptation/` writes the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["CRC_BYTES", "HEADER_BYTES", "STATE_VERSION", "numbered", "packed", "read_state", "unpacked"]

STATE_VERSION = 1
_HEADER = struct.Struct("<HHI8sI")
_CRC = struct.Struct("<I")
CRC_BYTES, HEADER_BYTES = _CRC.size, _HEADER.size
"""Of an image, behind and before the state."""
_REMEDY = "Load a state that this very network saved, or reset it"


def packed(state: bytes, model_hash: str, sequence: int) -> bytes:
    """The image of a state. model_hash : in hexadecimal. sequence : grows with each save, modulo 2^32."""
    size = _HEADER.size + len(state) + _CRC.size
    image = _HEADER.pack(STATE_VERSION, 0, size, bytes.fromhex(model_hash)[:8], sequence & 0xFFFFFFFF) + state
    return image + _CRC.pack(zlib.crc32(image))


def numbered(image: bytes, sequence: int) -> bytes:
    """The same state in an image of another sequence number."""
    changed = image[: HEADER_BYTES - 4] + (sequence & 0xFFFFFFFF).to_bytes(4, "little") + image[HEADER_BYTES:-CRC_BYTES]
    return changed + _CRC.pack(zlib.crc32(changed))


def unpacked(image: bytes, model_hash: str, size: int) -> tuple[bytes, int]:
    """The state of `size` bytes in an image, and its sequence number; InputError where it is damaged, of another
    version or of another model."""
    if len(image) != _HEADER.size + size + _CRC.size:
        raise InputError("saved state", f"has {len(image)} bytes, expected {_HEADER.size + size + _CRC.size}", _REMEDY)
    version, reserved, claimed, digest, sequence = _HEADER.unpack_from(image)
    if zlib.crc32(image[: -_CRC.size]) != _CRC.unpack_from(image, len(image) - _CRC.size)[0]:
        raise InputError("saved state", "is damaged: its CRC-32 does not fit", _REMEDY)
    if (version, reserved, claimed) != (STATE_VERSION, 0, len(image)):
        raise InputError("saved state", f"is of version {version}; this edgeml reads {STATE_VERSION}", _REMEDY)
    if digest != bytes.fromhex(model_hash)[:8]:
        raise InputError("saved state", f"is of model {digest.hex()}…, not of {model_hash[:16]}…", _REMEDY)
    return image[_HEADER.size : -_CRC.size], sequence


def read_state(content: bytes, fields: Mapping[str, tuple[str, int]]) -> dict[str, npt.NDArray[Any]]:
    """The parts of a state by name; fields : the type and the number of integers of each, in order."""
    parts: dict[str, npt.NDArray[Any]] = {}
    position = 0
    for name, (dtype, count) in fields.items():
        parts[name] = np.frombuffer(content, dtype, count, position)
        position += parts[name].nbytes
    return parts
