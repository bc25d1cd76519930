"""Weighted sums of planes: adders of single bits, whose results are planes again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeml.network import Dense

from .planes import Bit, Planes

__all__ = ["add_sums", "additions"]

_SUM3, _CARRY3, _SUM2, _CARRY2 = 0x96, 0xE8, 0x3C, 0xC0
_MOST_BITS = 31
"""Bits of a sum, at most: those of an int32 that is not negative."""


def additions(layer: Dense) -> int:
    """Bits that are added up, all together."""
    return sum(int(weight).bit_count() for weight in np.abs(layer.weight).ravel().tolist())


def add_sums(planes: Planes, layer: Dense, bits: Sequence[Bit]) -> tuple[list[int], list[int], list[int]]:
    """(first plane, planes, constant) of each output: constant + Σ 2^k · plane first + k.

    What has a weight below zero is added as its complement: w · b = −w · (1 − b) + w.
    """
    first, counts = [], []
    base = layer.bias.astype(np.int64) - layer.input_zero_point * layer.weight.astype(np.int64).sum(axis=1)
    constants = []
    for row, constant in zip(layer.weight.astype(np.int64).tolist(), base.tolist(), strict=True):
        columns: list[list[Bit | str]] = [[] for _ in range(_MOST_BITS + 1)]
        for weight, bit in zip(row, bits, strict=True):
            amount = abs(weight)
            if weight < 0:
                constant, bit = constant + weight, ~bit
            if bit.plane is None:
                constant += amount if bit.inverted else 0
                continue
            for k in range(amount.bit_length()):
                if amount >> k & 1:
                    columns[k].append(bit)
        results = [_added(planes, columns, k) for k in range(_MOST_BITS)]
        while results and results[-1] is None:
            results.pop()
        constants.append(constant)
        counts.append(len(results))
        if len(results) == 1 and isinstance(results[0], Bit) and not results[0].inverted:
            assert results[0].plane is not None
            first.append(results[0].plane)
            continue
        first.append(planes.count)
        for result in results:
            planes.store(_word(planes, result))
        planes.end()
    return first, counts, constants


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


def _word(planes: Planes, value: Bit | str | None) -> str:
    """A bit as a word."""
    if isinstance(value, Bit):
        return planes.operation(0xF0, value, value, value)
    return value or planes.operation(0x00, Bit(0), Bit(0), Bit(0))
