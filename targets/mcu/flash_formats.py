"""What lies in flash, in the forms that loaders take: plain bytes, Intel HEX, UF2.

UF2: blocks of 512 bytes that carry 256 bytes and their address each (https://github.com/microsoft/uf2). Intel HEX:
records of at most 16 bytes, with type 4 for the upper half of addresses (Intel Hexadecimal Object File Format
Specification, revision A).
"""

from __future__ import annotations

import struct

from edgeml.errors import CheckFailed

from .image import Image
from .toolchain import MemoryMap

__all__ = ["UF2_BLOCK", "flash_bytes", "intel_hex", "uf2"]

_ERASED = b"\xff"
_UF2_BEGIN, _UF2_SECOND, _UF2_END = 0x0A32_4655, 0x9E5D_5157, 0x0AB1_6F30
_UF2_HAS_FAMILY = 0x2000
UF2_BLOCK = 512
"""Bytes of a UF2 block."""
_PAYLOAD = 256
_RECORD = 16


def flash_bytes(image: Image, memory: MemoryMap) -> bytes:
    """What flash holds from its first address on; erased bytes in between. CheckFailed where something lies outside."""
    parts = sorted((part.load_address, part.content) for part in image.segments if part.content)
    content = b""
    for address, part in parts:
        start = address - memory.flash
        if start < len(content) or start + len(part) > memory.flash_size:
            raise CheckFailed("firmware image", f"has {len(part)} bytes at {address:#010x}, which is not free flash")
        content = content.ljust(start, _ERASED) + part
    return content


def _record(kind: int, address: int, content: bytes) -> str:
    body = bytes([len(content)]) + struct.pack(">HB", address, kind) + content
    return f":{(body + bytes([-sum(body) & 0xFF])).hex().upper()}\n"


def intel_hex(content: bytes, address: int) -> str:
    """The file of `content`, which begins at `address`, a multiple of 16."""
    lines = []
    upper = None
    for start in range(0, len(content), _RECORD):
        place = address + start
        if place >> 16 != upper:
            upper = place >> 16
            lines.append(_record(4, 0, struct.pack(">H", upper)))
        lines.append(_record(0, place & 0xFFFF, content[start : start + _RECORD]))
    return "".join([*lines, ":00000001FF\n"])


def uf2(content: bytes, address: int, family: int) -> bytes:
    """The file of `content`, which begins at `address`, for the family of parts with that number."""
    payloads = [content[start : start + _PAYLOAD] for start in range(0, len(content), _PAYLOAD)]
    blocks = []
    for index, payload in enumerate(payloads):
        place = address + index * _PAYLOAD
        head = struct.pack(
            "<8I", _UF2_BEGIN, _UF2_SECOND, _UF2_HAS_FAMILY, place, _PAYLOAD, index, len(payloads), family
        )
        body = payload.ljust(_PAYLOAD, b"\0").ljust(UF2_BLOCK - len(head) - 4, b"\0")
        blocks.append(head + body + struct.pack("<I", _UF2_END))
    return b"".join(blocks)
