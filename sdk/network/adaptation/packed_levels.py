"""Levels of a layer in as few bits as divide a byte: how a device keeps windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["level_bits", "pack_levels", "packed_bytes", "unpack_levels"]


def level_bits(levels: int) -> int:
    """Bits of a stored level 0 … `levels`: 1, 2, 4 or 8."""
    return next(bits for bits in (1, 2, 4, 8) if levels < 1 << bits)


def packed_bytes(channels: int, levels: int) -> int:
    """Bytes of one window of so many channels."""
    return -(-channels * level_bits(levels) // 8)


def pack_levels(stored: npt.NDArray[np.uint8], levels: int) -> npt.NDArray[np.uint8]:
    """Stored levels [windows, channels] as bytes [windows, packed_bytes], the first level in the lowest bits."""
    bits = level_bits(levels)
    each = 8 // bits
    padded = np.zeros((len(stored), packed_bytes(stored.shape[1], levels) * each), np.uint8)
    padded[:, : stored.shape[1]] = stored
    shifts = (bits * np.arange(each)).astype(np.uint8)
    packed: npt.NDArray[np.uint8] = np.bitwise_or.reduce(padded.reshape(len(stored), -1, each) << shifts, axis=2)
    return packed


def unpack_levels(packed: npt.NDArray[np.uint8], levels: int, channels: int) -> npt.NDArray[np.uint8]:
    """Inverse of `pack_levels`; what stands behind the last channel is left out."""
    bits = level_bits(levels)
    shifts = (bits * np.arange(8 // bits)).astype(np.uint8)
    unpacked = (packed[:, :, None] >> shifts) & np.uint8((1 << bits) - 1)
    stored: npt.NDArray[np.uint8] = unpacked.reshape(len(packed), -1)[:, :channels]
    return stored
