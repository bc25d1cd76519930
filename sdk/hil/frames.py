"""Frames on a byte link: COBS, a CRC-32, and a zero byte at the end.

COBS (Cheshire and Baker, 1999) writes bytes without zeros: each block of up to 254 bytes that are not zero stands
behind its length + 1, and stands for a zero at its end unless it is full. So a zero always ends a frame, and a receiver
that has lost its place finds it again at the next one.
"""

from __future__ import annotations

import zlib

__all__ = ["FrameReader", "frame", "unframe"]

_CRC_BYTES = 4
_FULL_BLOCK = 254


def _encode(content: bytes) -> bytes:
    encoded = bytearray()
    blocks = content.split(b"\0")
    for position, block in enumerate(blocks):
        while len(block) >= _FULL_BLOCK:
            encoded.append(_FULL_BLOCK + 1)
            encoded += block[:_FULL_BLOCK]
            block = block[_FULL_BLOCK:]
            if not block and position == len(blocks) - 1:
                return bytes(encoded)
        encoded.append(len(block) + 1)
        encoded += block
    return bytes(encoded)


def _decode(encoded: bytes) -> bytes | None:
    decoded = bytearray()
    position = 0
    while position < len(encoded):
        code = encoded[position]
        block = encoded[position + 1 : position + code]
        if len(block) != code - 1:
            return None
        decoded += block
        position += code
        if code != _FULL_BLOCK + 1 and position < len(encoded):
            decoded.append(0)
    return bytes(decoded)


def frame(payload: bytes) -> bytes:
    """The bytes that carry `payload`, the ending zero included."""
    return _encode(payload + zlib.crc32(payload).to_bytes(_CRC_BYTES, "little")) + b"\0"


def unframe(encoded: bytes) -> bytes | None:
    """The payload in a frame without its ending zero; None where the frame is damaged."""
    decoded = _decode(encoded)
    if decoded is None or len(decoded) < _CRC_BYTES:
        return None
    payload, crc = decoded[:-_CRC_BYTES], decoded[-_CRC_BYTES:]
    return payload if zlib.crc32(payload) == int.from_bytes(crc, "little") else None


class FrameReader:
    """Takes bytes as they come and gives the payloads of whole, undamaged frames.

    Parameters
    ----------
    longest : of a frame's bytes; what is longer without an end is noise and dropped.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._pending = bytearray()
        self.damaged = 0

    def feed(self, received: bytes) -> list[bytes]:
        """The payloads that `received` completes."""
        self._pending += received
        if 0 not in received:
            if len(self._pending) > self._longest:
                self._pending.clear()
                self.damaged += 1
            return []
        *frames, rest = bytes(self._pending).split(b"\0")
        self._pending = bytearray(rest)
        payloads = []
        for encoded in frames:
            payload = unframe(encoded) if 0 < len(encoded) <= self._longest else None
            if payload is not None:
                payloads.append(payload)
            elif encoded:
                self.damaged += 1
        return payloads
