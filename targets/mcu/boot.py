"""What the boot ROMs of parts look for in flash before they run it, checked as they check it.

RP2040: 256 bytes whose last four are the CRC-32 of the rest (RP2040 Datasheet, section 2.8.1.3.1: polynomial
0x04C11DB7, begun with all ones, neither reflected nor inverted). RP2350: a block with an image definition within the
first 4096 bytes (RP2350 Datasheet, section 5.9.5).
"""

from __future__ import annotations

import struct

from edgeml.errors import CheckFailed

__all__ = ["BOOT2_BYTES", "boot2_crc", "check_boot"]

BOOT2_BYTES = 256
_POLYNOMIAL = 0x04C1_1DB7
_BLOCK_BEGIN, _BLOCK_END = 0xFFFF_DED3, 0xAB12_3579
_IMAGE_TYPE, _LAST_ITEM = 0x42, 0xFF
_ARM_SECURE_RP2350 = 0x1021
_SEARCHED = 4096


def boot2_crc(content: bytes) -> int:
    """The CRC-32 that the RP2040's boot ROM computes."""
    crc = 0xFFFF_FFFF
    for byte in content:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return crc


def check_boot(kind: str, flash: bytes) -> None:
    """CheckFailed where a part that boots in the way `kind` would not run what `flash` holds from its start on."""
    if kind == "rp2040":
        held = flash[BOOT2_BYTES - 4 : BOOT2_BYTES]
        if len(held) < 4 or struct.unpack("<I", held)[0] != boot2_crc(flash[: BOOT2_BYTES - 4]):
            raise CheckFailed("image for an RP2040", "begins with a second stage of boot whose CRC is wrong")
    elif kind == "rp2350" and not _image_definition(flash[:_SEARCHED]):
        raise CheckFailed("image for an RP2350", f"has no image definition in its first {_SEARCHED} bytes")


def _image_definition(flash: bytes) -> bool:
    """Whether there is a block that says that this is a program for the RP2350's Arm cores, and no other block."""
    words = struct.unpack(f"<{len(flash) // 4}I", flash[: len(flash) // 4 * 4])
    starts = [place for place, word in enumerate(words) if word == _BLOCK_BEGIN]
    if len(starts) != 1 or starts[0] + 5 > len(words):
        return False
    item, last, link, end = words[starts[0] + 1 : starts[0] + 5]
    program: bool = item == _ARM_SECURE_RP2350 << 16 | 1 << 8 | _IMAGE_TYPE
    # One item of one word, then the end of the items, a link to the block itself, and the mark of the end.
    return program and bool(last == 1 << 8 | _LAST_ITEM and link == 0 and end == _BLOCK_END)
