"""What a claim is about, and the values that it takes: by the bits that they stand in, or through another layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .circuit import Dependence
from .claim import Cut
from .statement import Affine, Source, Statement, SumOfFunctions

__all__ = ["Operand", "Place", "plain"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Place:
    """What is to be proved of one name: a node of the network, or the integers at the circuit's output.

    Parameters
    ----------
    sources : names of what feeds it. low, high : of each channel's value. statements : by channel.
    """

    name: str
    sources: tuple[str, ...]
    cuts: tuple[Cut | None, ...]
    low: Int64
    high: Int64
    statements: tuple[Statement | None, ...]


class Operand:
    """A value that a function takes: by the bits that it stands in, or through the layer that would give it."""

    def __init__(self, places: Mapping[str, Place], place: Place, channel: int) -> None:
        self.place, self.channel = place, channel
        self.cut = place.cuts[channel]
        self.statement = place.statements[channel] if place.statements else None
        self.parts: list[Operand] = []
        if self.cut is None and self.range[0] < self.range[1]:
            if self.statement is None:
                raise Dependence(f"takes {place.name}[{channel}], which stands nowhere")
            named = _sources(self.statement)
            self.parts = [Operand(places, places[place.sources[which]], number) for which, number in named]
        own = {plain(bit) for bit in self.cut.bits} if self.cut else set()
        self.leaves: set[int] = (own - {0, 1}).union(*(part.leaves for part in self.parts))

    @property
    def range(self) -> tuple[int, int]:
        """The least and the largest integer that it can be."""
        return int(self.place.low[self.channel]), int(self.place.high[self.channel])

    def value(self, columns: Mapping[int, Int64], count: int) -> Int64:
        """The integer in each row; of a row that cannot come, any."""
        if self.cut is None:
            if not self.parts:
                return np.full(count, self.range[0], np.int64)
            values = [part.value(columns, count) for part in self.parts]
            if isinstance(self.statement, Affine):
                whole = np.full(count, self.statement.constant, np.int64)
                for weight, value in zip(self.statement.weights.values(), values, strict=True):
                    whole += weight * value
                return whole
            can, given = self.can(columns, count), np.zeros(count, np.int64)
            if isinstance(self.statement, SumOfFunctions):
                terms = zip(self.statement.terms.values(), values, strict=True)
                given[can] = self.statement.constant + sum(term(value[can]) for term, value in terms)
            elif self.statement is not None:
                given[can] = self.statement.values([value[can] for value in values])
            return given
        total = np.full(count, self.cut.offset, np.int64)
        for k, bit in enumerate(self.cut.bits):
            if bit == 1 or bit == ~0:
                total += 1 << k
            elif bit not in (0, ~1):
                total += (columns[bit] if bit >= 0 else 1 - columns[~bit]) << k
        return total

    def can(self, columns: Mapping[int, Int64], count: int) -> npt.NDArray[np.bool_]:
        """Which rows can come, by the ranges of what stands in bits."""
        if self.cut is None:
            found = np.ones(count, bool)
            for part in self.parts:
                found &= part.can(columns, count)
            return found
        value = self.value(columns, count)
        low, high = int(self.place.low[self.channel]), int(self.place.high[self.channel])
        return np.logical_and(value >= low, value <= high)


def _sources(statement: Statement) -> Collection[Source]:
    """What a statement takes, in its own order."""
    if isinstance(statement, Affine):
        return statement.weights
    return statement.terms if isinstance(statement, SumOfFunctions) else statement.sources


def plain(bit: int) -> int:
    """The bit that `bit` is or complements."""
    return bit if bit >= 0 else ~bit
