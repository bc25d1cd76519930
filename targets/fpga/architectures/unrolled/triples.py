"""Sums of three terms that several outputs need and that one lookup table per bit computes.

Pairs alone (`sharing`) leave six-input tables half used: the sum of two 2-bit numbers has four inputs. Three such
numbers make a sum of four bits in four tables, two bits less in every output that takes it. The triple that saves
the most is taken first. Candidates are grouped by the number of highest index among the three, so that a new number
opens a group of its own, and what is known of the other groups stays an upper bound (uses only become fewer).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .number import (
    LUTS_PER_BIT,
    SMALL_INPUTS,
    Number,
    Term,
    add_number,
    term_bounds,
)

__all__ = ["share_triples"]

_MOST_PRODUCTS = 4e9
_FEWEST_USES = 2
_Place = tuple[int, int, bool]


@dataclass(frozen=True)
class _Triple:
    """The highest number, and two others by (number, shift, inversion) relative to it."""

    score: float
    last: int
    first: _Place
    second: _Place


class _Search:
    def __init__(self, numbers: list[Number], outputs: list[list[Term]], least: float) -> None:
        self.numbers = numbers
        self.outputs = outputs
        self.least = least
        self.widths: list[int] = []

    def _relative(self, last: int) -> tuple[list[_Place], npt.NDArray[np.float32]]:
        """Places relative to a number, and [its uses, places] which of them each use has beside it."""
        room = SMALL_INPUTS - self.bits(last) - 1
        index: dict[_Place, int] = {}
        uses: list[list[int]] = []
        for terms in self.outputs:
            for own in terms:
                if own.number != last:
                    continue
                row = []
                for term in terms:
                    if term.number < last and self.bits(term.number) <= room:
                        place = (term.number, term.shift - own.shift, term.inverted != own.inverted)
                        row.append(index.setdefault(place, len(index)))
                uses.append(row)
        present = np.zeros((len(uses), len(index)), np.float32)
        for number, row in enumerate(uses):
            present[number, row] = 1
        keep = np.flatnonzero(present.sum(axis=0) > 1)
        places = list(index)
        return [places[k] for k in keep], present[:, keep]

    def best(self, last: int) -> _Triple | None:
        """The triple of this highest number that saves the most, if any saves enough."""
        places, present = self._relative(last)
        if len(places) < 2:
            return None
        counts = present.T @ present
        one, two = np.nonzero(np.triu(counts, 1) >= _FEWEST_USES)
        counts = counts[one, two]
        own = self.numbers[last]
        number, shift, bits, high = self._facts(places)
        total_bits = own.bits + bits[one] + bits[two]
        base = np.minimum(np.minimum(shift[one], shift[two]), 0)
        total = own.high * 2.0**-base + high[one] * 2.0 ** (shift[one] - base) + high[two] * 2.0 ** (shift[two] - base)
        width = np.frexp(total)[1]
        top = np.maximum(np.maximum(shift[one], shift[two]), 0)
        # Bits below the second lowest term pass unchanged.
        tables = np.maximum(width - (shift[one] + shift[two] - 2 * base - top), 1)
        score = LUTS_PER_BIT * (total_bits - width) * counts - tables
        bad = (total_bits > SMALL_INPUTS) | (number[one] == number[two]) | (top - base > SMALL_INPUTS)
        # What it saves per term taken away decides whether pairs would do better.
        score[bad | (score < self.least * 3 * counts)] = 0.0
        at = int(score.argmax()) if len(score) else -1
        if at < 0 or score[at] <= 0:
            return None
        return _Triple(float(score[at]), last, places[one[at]], places[two[at]])

    def _facts(self, places: list[_Place]) -> tuple[npt.NDArray[Any], ...]:
        """Number, shift, bits and highest value of each place, unshifted."""
        number, shift = (np.array([place[k] for place in places]) for k in (0, 1))
        bits = np.array([self.bits(place[0]) for place in places])
        high = np.array([term_bounds(self.numbers, Term(place[0], 0, place[2]))[1] for place in places], np.float64)
        return number, shift, bits, high

    def bits(self, number: int) -> int:
        """Width of a number."""
        while len(self.widths) < len(self.numbers):
            self.widths.append(self.numbers[len(self.widths)].bits)
        return self.widths[number]

    def products(self) -> float:
        """Multiplications that one round over all groups takes."""
        return float(sum(present.shape[0] * present.shape[1] ** 2 for _, present in map(self._relative, self.usable())))

    def usable(self) -> list[int]:
        """Numbers narrow enough to stand in a triple."""
        return [index for index, number in enumerate(self.numbers) if number.bits <= SMALL_INPUTS - 2]


def share_triples(
    numbers: list[Number], outputs: list[list[Term]], constants: list[int], *, least: float = 0.0
) -> bool:
    """Take shared triples out of all outputs, in place; False if none was found, or the search would be too long.

    least : lookup tables that a triple must save per term that it takes away.
    """
    search = _Search(numbers, outputs, least)
    if search.products() > _MOST_PRODUCTS:
        return False
    queue = [(-found.score, last) for last in search.usable() if (found := search.best(last)) is not None]
    heapq.heapify(queue)
    any_found = bool(queue)
    while queue:
        negative, last = heapq.heappop(queue)
        found = search.best(last)
        if found is None:
            continue
        if found.score < -negative:
            heapq.heappush(queue, (-found.score, last))
            continue
        new = _take(found, numbers, outputs, constants)
        for group in (last, new):
            if numbers[group].bits <= SMALL_INPUTS - 2 and (again := search.best(group)) is not None:
                heapq.heappush(queue, (-again.score, group))
    return any_found


def _take(found: _Triple, numbers: list[Number], outputs: list[list[Term]], constants: list[int]) -> int:
    """Make the triple two numbers, a sum of two and that plus the third, and put it into every output that has it."""
    places = sorted([found.first, found.second, (found.last, 0, False)], key=lambda place: (place[1], place[0]))
    base, flip = places[0][1], places[0][2]
    terms = [Term(number, shift - base, inverted != flip) for number, shift, inverted in places]
    pair = add_number(numbers, terms[0], terms[1])
    whole = add_number(numbers, Term(pair, 0, False), terms[2])
    # The complement of the whole sum, and the sum of the three complements, differ by a constant.
    full = sum((2 ** numbers[term.number].bits - 1) << term.shift for term in terms)
    constant = full - (2 ** numbers[whole].bits - 1)
    for index, present in enumerate(outputs):
        for match in _matches(found, present):
            own = match[-1]
            for term in match:
                present.remove(term)
            inverted = flip != own.inverted
            shift = own.shift + base
            present.append(Term(whole, shift, inverted))
            if inverted:
                constants[index] += constant << shift
    return whole


def _matches(found: _Triple, terms: Sequence[Term]) -> list[tuple[Term, ...]]:
    matches: list[tuple[Term, ...]] = []
    left = set(terms)
    for own in terms:
        if own.number != found.last or own not in left:
            continue
        match = tuple(
            Term(number, own.shift + shift, inverted != own.inverted)
            for number, shift, inverted in (found.first, found.second, (found.last, 0, False))
        )
        if left.issuperset(match):
            left.difference_update(match)
            matches.append(match)
    return matches
