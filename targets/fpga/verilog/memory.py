"""Memory images: integers packed into words, as text for $readmemh."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["memory_image", "pack_words"]


def pack_words(fields: npt.NDArray[np.integer], bits: int) -> list[int]:
    """Rows of integers as words: field j of a row at bits j · bits, two's complement. [words, fields] → [words]."""
    masked = np.asarray(fields, dtype=np.int64) & ((1 << bits) - 1)
    planes = ((masked[:, :, None] >> np.arange(bits)) & 1).astype(np.uint8).reshape(len(masked), -1)
    packed = np.packbits(planes, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def memory_image(words: Iterable[int], width: int) -> str:
    """Content for $readmemh: one word of `width` bits a line."""
    digits = (width + 3) // 4
    return "".join(f"{word:0{digits}x}\n" for word in words)
