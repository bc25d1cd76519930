"""Weighted sums of planes: adders of single bits, whose results are planes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeml.network import Dense

from .planes import ROWS, Bit, Planes

__all__ = ["Sums", "add_sums", "additions"]

_SUM3, _CARRY3, _SUM2, _CARRY2 = 0x96, 0xE8, 0x3C, 0xC0
_MOST_BITS = 31
"""Bits of a sum, at most: those of an int32 that is not negative."""


def additions(layer: Dense) -> int:
    """Bits that are added up, all together."""
    return sum(int(weight).bit_count() for weight in np.abs(layer.weight).ravel().tolist())


@dataclass(frozen=True)
class Sums:
    """Where the sums of the outputs are: each in `length` planes, eight of them in 64 rows where that is 8.

    Parameters
    ----------
    first : plane of the first one. length : planes of each, a multiple of 8.
    constants : what is added to each.
    """

    first: int
    length: int
    constants: list[int]

    @property
    def planes(self) -> int:
        """All of them, in whole sixty-fours of rows; those above a sum's highest bit are 0."""
        return -(-len(self.constants) * self.length // 64) * ROWS

    def plane(self, output: int, bit: int) -> int:
        """That of a bit of an output's sum."""
        row = output * self.length + bit
        return self.first + row // 64 * ROWS + row % 64


def add_sums(planes: Planes, layer: Dense, bits: Sequence[Bit]) -> Sums:
    """The planes of constant + Σ 2^k · plane k for each output.

    What has a weight below zero is added as its complement: w · b = −w · (1 − b) + w.
    """
    base = layer.bias.astype(np.int64) - layer.input_zero_point * layer.weight.astype(np.int64).sum(axis=1)
    constants, columns_of, largest = [], [], 0
    for row, constant in zip(layer.weight.astype(np.int64).tolist(), base.tolist(), strict=True):
        columns: list[list[Bit | str]] = [[] for _ in range(_MOST_BITS + 1)]
        total = 0
        for weight, bit in zip(row, bits, strict=True):
            amount = abs(weight)
            if weight < 0:
                constant, bit = constant + weight, ~bit
            if bit.plane is None:
                constant += amount if bit.inverted else 0
                continue
            total += amount
            for k in range(amount.bit_length()):
                if amount >> k & 1:
                    columns[k].append(bit)
        constants.append(constant)
        columns_of.append(columns)
        largest = max(largest, total)
    sums = Sums(planes.count, max(-(-largest.bit_length() // 8), 1) * 8, constants)
    planes.count += sums.planes
    for output, columns in enumerate(columns_of):
        for k in range(largest.bit_length()):
            result = _added(planes, columns, k)
            if result is not None:
                planes.store(_word(planes, result), sums.plane(output, k))
        planes.end()
    return sums


def _added(planes: Planes, columns: list[list[Bit | str]], k: int) -> Bit | str | None:
    """The sum's bit of a column, whose carries go into the next; None of a column without bits."""
    column = columns[k]
    while len(column) > 1:
        taken, column[:3] = column[:3], []
        three = len(taken) == 3
        a, b, c = taken if three else (*taken, taken[1])
        columns[k + 1].append(planes.temporary(planes.operation(_CARRY3 if three else _CARRY2, a, b, c)))
        column.append(planes.temporary(planes.operation(_SUM3 if three else _SUM2, a, b, c)))
    return column[0] if column else None


def _word(planes: Planes, value: Bit | str) -> str:
    """A bit as a word."""
    if isinstance(value, Bit):
        return planes.operation(0xF0, value, value, value)
    return value
