"""What the memories of a core hold, decoded from their text: numbers of some bits, word by word."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from .statements import need

__all__ = ["Memories", "as_signed", "fits"]

Int64 = npt.NDArray[np.int64]


def fits(low: int, high: int, bits: int, signed: bool) -> bool:
    """Whether integers have so many bits, two's complement or not negative."""
    least = -(1 << bits - 1) if signed else 0
    return least <= low and high < least + (1 << bits)


def as_signed(values: Int64, bits: int) -> Int64:
    """Numbers of so many bits as two's complement."""
    return np.where(values >> (bits - 1), values - (1 << bits), values)


class Memories:
    """The texts of a bundle's files by name."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self._decoded: dict[tuple[str, int, int, int], Int64] = {}

    def words(self, name: Any, words: int, field: int, fields: int) -> Int64:
        """Numbers of `field` bits [words, fields] of a memory, not negative."""
        key = (str(name), words, field, fields)
        if key in self._decoded:
            return self._decoded[key]
        lines = self.texts[str(name)].split()
        need(len(lines) == words and field <= 62, str(name), "has another number of words")
        need(all(re.fullmatch(r"[0-9a-f]+", line) for line in lines), str(name), "holds what is not a number")
        numbers = [int(line, 16) for line in lines]
        need(all(number < 1 << field * fields for number in numbers), str(name), "holds more bits than its words have")
        mask = (1 << field) - 1
        found = np.array([[number >> k * field & mask for k in range(fields)] for number in numbers], np.int64)
        self._decoded[key] = found
        return found
