"""What a layer says of one channel, in a form that is the same where the same is said: for the keys of kept proofs.

A function is described by all its values within the ranges of what it takes, so that a layer that changed elsewhere
says the same of this channel.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .operand import Place
from .statement import Affine, Column, Function, Source, Statement

__all__ = ["Undescribed", "described"]

_MOST_VALUES = 2**22


class Undescribed(Exception):
    """What is said of a channel is too much to be listed, or is of a value that stands nowhere."""


def described(
    places: Mapping[str, Place],
    place: Place,
    statement: Statement,
    reached: Callable[[], Collection[Source]],
    bit: Callable[[int], int],
) -> tuple[list[Any], list[Source]]:
    """(what is said of a channel of a place as JSON-able content, the values that feed the place and are part of it).

    reached : values of the place's sources that the channel's gates take, asked when those that the layer takes have
    their numbers. bit : gives each bit of these its number.
    Raises Undescribed.
    """
    said = _Said(places, bit)
    content = said.statement(place, statement)
    for source in sorted(reached()):
        said.value(place, source)
    own = [source for source in said.standing if source[0] == place.name]
    return [content, list(said.standing.values())], [source for _, source in own]


class _Said:
    """What is said, with the values that it is about, each once: of what stands in bits, these, offset and range."""

    def __init__(self, places: Mapping[str, Place], bit: Callable[[int], int]) -> None:
        self.places, self.bit = places, bit
        self.standing: dict[tuple[str, Source], Any] = {}

    def value(self, place: Place, source: Source) -> list[Any]:
        """A value that feeds a place: where it stands, the integer that it always is, or the layer that gives it."""
        feeding = self.places[place.sources[source[0]]]
        cut, number = feeding.cuts[source[1]], source[1]
        low, high = int(feeding.low[number]), int(feeding.high[number])
        name = [place.name, *source]
        if cut is not None:
            if (place.name, source) not in self.standing:
                self.standing[place.name, source] = [
                    *name,
                    low,
                    high,
                    cut.offset,
                    [self.bit(each) for each in cut.bits],
                ]
            return name
        if low == high:
            return [low]
        statement = feeding.statements[number] if feeding.statements else None
        if statement is None:
            raise Undescribed
        return [low, high, self.statement(feeding, statement)]

    def statement(self, place: Place, statement: Statement) -> list[Any]:
        """A statement with the values that it takes."""
        if isinstance(statement, Affine):
            terms = [[self.value(place, source), weight] for source, weight in sorted(statement.weights.items())]
            return ["sum", terms, statement.constant]
        if isinstance(statement, Function):
            taken = [self.value(place, source) for source in statement.sources]
            columns = _all([self._range(place, source) for source in statement.sources])
            return ["function", taken, _digest(statement.values(columns))]
        functions = []
        for source, term in sorted(statement.terms.items(), key=lambda item: item[0]):
            (column,) = _all([self._range(place, source)])
            functions.append([self.value(place, source), _digest(term(column))])
        return ["functions", functions, statement.constant]

    def _range(self, place: Place, source: Source) -> tuple[int, int]:
        feeding = self.places[place.sources[source[0]]]
        return int(feeding.low[source[1]]), int(feeding.high[source[1]])


def _all(ranges: Sequence[tuple[int, int]]) -> list[Column]:
    """All values of some integers together, a column of each."""
    if math.prod(high - low + 1 for low, high in ranges) > _MOST_VALUES:
        raise Undescribed
    axes = np.meshgrid(*(np.arange(low, high + 1) for low, high in ranges), indexing="ij")
    return [np.asarray(axis.ravel(), np.int64) for axis in axes]


def _digest(values: Column) -> str:
    return hashlib.sha256(np.asarray(values, np.int64).tobytes()).hexdigest()
