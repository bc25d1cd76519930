"""Weights of 8, 4 and 2 bits as bytes, as the file stores them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["pack_weights", "unpack_weights"]


def pack_weights(weight: npt.NDArray[np.int8], bits: int) -> npt.NDArray[np.uint8]:
    """Weights of 8, 4 or 2 bits as bytes: least significant first over the flat row-major tensor."""
    flat = weight.astype(np.int64).ravel() & ((1 << bits) - 1)
    per_byte = 8 // bits
    padded = np.zeros(-(-flat.size // per_byte) * per_byte, np.int64)
    padded[: flat.size] = flat
    shifts = np.arange(per_byte) * bits
    packed: npt.NDArray[np.uint8] = (padded.reshape(-1, per_byte) << shifts).sum(axis=1).astype(np.uint8)
    return packed


def unpack_weights(data: npt.NDArray[np.uint8], count: int, bits: int) -> npt.NDArray[np.int8]:
    """Inverse of `pack_weights`: `count` weights out of bytes of just that length."""
    if bits == 8:
        return data.view(np.int8)
    per_byte = 8 // bits
    # Shift each code to the top of its byte, then arithmetically back: this extends the sign.
    up = (8 - bits * (np.arange(per_byte) + 1)).astype(np.uint8)
    return ((data[:, None] << up).astype(np.uint8).view(np.int8) >> np.int8(8 - bits)).ravel()[:count]
