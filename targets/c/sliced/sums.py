"""Weighted sums of planes: adders of single bits, whose results are planes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeml.network import Dense

from .planes import ROWS, Bit, Function, Planes

__all__ = ["Sums", "add_sums", "additions"]

_SUM3, _CARRY3, _SUM2, _CARRY2 = 0x96, 0xE8, 0x3C, 0xC0
_ZERO = "EDGEML_SLICE_ZERO"
_WORDS, _WORD = 2, 32
_MOST_BITS = 31
"""Bits of a sum, at most: those of an int32 that is not negative."""


def additions(layer: Dense) -> int:
    """Bits that are added up, all together."""
    return sum(int(weight).bit_count() for weight in np.abs(layer.weight).ravel().tolist())


@dataclass(frozen=True)
class Sums:
    """Where the sums of the outputs are: rows of two words of 32 bits, in each as many sums as fit; of outputs 2 n and
    2 n + 1 one in either word.

    Parameters
    ----------
    first : plane of the first one. length : planes of each, up to 31.
    constants : what is added to each.
    """

    first: int
    length: int
    constants: list[int]

    @property
    def fields(self) -> int:
        """Outputs of a row."""
        return _WORDS * (_WORD // self.length)

    @property
    def planes(self) -> int:
        """All of them, in whole rows."""
        return -(-len(self.constants) // self.fields) * ROWS

    @property
    def eights(self) -> int:
        """Of the eights of a row's planes those that a sum is in, each a bit."""
        inside = (self.plane(output, bit) - self.first for output in range(self._widest) for bit in range(self.length))
        return sum(1 << eight for eight in {plane // 8 for plane in inside})

    @property
    def _widest(self) -> int:
        return min(self.fields, len(self.constants))

    def plane(self, output: int, bit: int) -> int:
        """That of a bit of an output's sum."""
        row, field = divmod(output, self.fields)
        return self.first + row * ROWS + field % _WORDS * _WORD + field // _WORDS * self.length + bit


def add_sums(planes: Planes, layer: Dense, bits: Sequence[Bit | Function]) -> Sums:
    """The planes of constant + Σ 2^k · plane k for each output.

    What has a weight below zero is added as its complement: w · b = −w · (1 − b) + w. Bits are added up as they come,
    so that few are at hand at any time; functions that one output alone needs are never in memory.
    """
    base = layer.bias.astype(np.int64) - layer.input_zero_point * layer.weight.astype(np.int64).sum(axis=1)
    constants: list[int] = []
    added: list[list[tuple[int, Bit | Function]]] = []
    for row, constant in zip(layer.weight.astype(np.int64).tolist(), base.tolist(), strict=True):
        terms: list[tuple[int, Bit | Function]] = []
        for weight, bit in zip(row, bits, strict=True):
            if weight < 0:
                constant, bit = constant + weight, ~bit
            if isinstance(bit, Bit) and bit.plane is None:
                constant += abs(weight) if bit.inverted else 0
            elif weight:
                terms.append((abs(weight), bit))
        constants.append(constant)
        added.append(terms)
    length = max(sum(amount for amount, _ in terms) for terms in added).bit_length()
    sums = Sums(planes.count, max(length, 1), constants)
    planes.count += sums.planes
    for output, terms in enumerate(added):
        for k, sum_bit in enumerate(_added(planes, terms)[: sums.length]):
            planes.store(_ZERO if sum_bit is None else _word(planes, sum_bit), sums.plane(output, k))
        planes.end()
    return sums


def _added(planes: Planes, terms: Sequence[tuple[int, Bit | Function]]) -> list[Bit | None]:
    """The bits of Σ amount · bit, the lowest first; None of one that is always 0."""
    columns: list[list[Bit]] = [[] for _ in range(_MOST_BITS + 1)]

    def add(k: int, bit: Bit) -> None:
        columns[k].append(bit)
        if len(columns[k]) == 3:
            reduce(k, _SUM3, _CARRY3)

    def reduce(k: int, low: int, high: int) -> None:
        a, b, c = (*columns[k], columns[k][-1])[:3]
        carry = Bit(planes.temporary(planes.operation(high, a, b, c)))
        columns[k] = [Bit(planes.temporary(planes.operation(low, a, b, c)))]
        add(k + 1, carry)

    for amount, bit in terms:
        made = planes.variable(bit) if isinstance(bit, Function) else bit
        for k in range(amount.bit_length()):
            if amount >> k & 1:
                add(k, made)
    for k in range(_MOST_BITS):
        if len(columns[k]) == 2:
            reduce(k, _SUM2, _CARRY2)
    return [column[0] if column else None for column in columns]


def _word(planes: Planes, bit: Bit) -> str:
    """A bit as a word."""
    return bit.plane if isinstance(bit.plane, str) and not bit.inverted else planes.operation(0xF0, bit, bit, bit)
