"""Shared sub-expressions of a constant matrix: sums of two terms that several outputs need are computed once.

Terms are unsigned numbers, shifted and perhaps complemented: subtracting a number of n bits is adding its
complement, up to a constant ((2^n − 1) − a = ~a), so all sums are sums of non-negative numbers. The pair whose
sharing saves the most logic is taken first (greedy, as in multiple-constant multiplication), where what a pair saves
is the bits by which it shortens every sum that uses it, and what it costs are its own lookup tables.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...signed_digits import signed_digits
from .number import (
    LUTS_PER_BIT,
    SMALL_INPUTS,
    Number,
    Term,
    term_bounds,
)
from .triples import share_triples

__all__ = ["Number", "SharedSums", "Term", "cost", "count_uses", "dissolving", "inputs_of", "share"]

_CARRY_SHARE = 0.25
_MOST_PAIRS = 3_000_000
_LEAST_SAVED = 0.35
"""By each term that a triple takes away; sums of two 2-bit numbers save nearly as much, sums of 1-bit ones nothing."""


@dataclass
class SharedSums:
    """Numbers, and for each output the terms to add and a constant: value = Σ terms + constant."""

    numbers: list[Number]
    outputs: list[list[Term]]
    constants: list[int]


_Key = tuple[int, int, int, bool]


def _key(first: Term, second: Term) -> tuple[_Key, int, bool]:
    """The pair without its common shift and inversion; (key, common shift, common inversion)."""
    if (second.number, second.shift) < (first.number, first.shift):
        first, second = second, first
    base = min(first.shift, second.shift)
    return (
        (first.number, second.number, second.shift - first.shift, first.inverted != second.inverted),
        base,
        first.inverted,
    )


def _number_of(numbers: Sequence[Number], key: _Key) -> Number:
    a, b, shift, mixed = key
    first, second = Term(a, max(0, -shift), False), Term(b, max(0, shift), mixed)
    low = term_bounds(numbers, first)[0] + term_bounds(numbers, second)[0]
    high = term_bounds(numbers, first)[1] + term_bounds(numbers, second)[1]
    return Number(low, high, first, second)


def sum_cost(numbers: Sequence[Number], number: Number) -> tuple[float, int]:
    """(lookup tables and carry cells of a two-term sum, input bits that it really adds)."""
    assert number.a is not None
    assert number.b is not None
    offset = max(number.a.shift, number.b.shift)
    total = numbers[number.a.number].bits + numbers[number.b.number].bits
    # Bits below the other term's shift pass unchanged.
    passing = min(offset, numbers[number.a.number].bits if number.b.shift else numbers[number.b.number].bits)
    tables = max(number.bits - offset, 1)
    inputs = total - passing
    return (tables, inputs) if inputs <= SMALL_INPUTS else (tables * (1 + _CARRY_SHARE) + 1, inputs)


class _Sharing:
    def __init__(self, numbers: list[Number], outputs: list[list[Term]], constants: list[int]) -> None:
        self.numbers = numbers
        self.outputs = outputs
        self.constants = constants
        self.uses: Counter[_Key] = Counter()
        self.where: dict[_Key, set[int]] = {}
        for index, terms in enumerate(outputs):
            for i, term in enumerate(terms):
                for other in terms[i + 1 :]:
                    self._count(index, term, other, 1)
        self.saved: dict[_Key, tuple[float, float]] = {}
        self.queue = [(-score, key) for key in self.uses if (score := self._score(key)) > 0]
        heapq.heapify(self.queue)

    def _count(self, output: int, first: Term, second: Term, change: int) -> None:
        key = _key(first, second)[0]
        self.uses[key] += change
        if change > 0:
            self.where.setdefault(key, set()).add(output)

    def _score(self, key: _Key) -> float:
        if key not in self.saved:
            number = _number_of(self.numbers, key)
            bits = self.numbers[key[0]].bits + self.numbers[key[1]].bits - number.bits
            self.saved[key] = (bits * LUTS_PER_BIT, sum_cost(self.numbers, number)[0])
        per_use, cost = self.saved[key]
        return per_use * self.uses[key] - cost

    def run(self) -> None:
        while self.queue:
            negative, key = heapq.heappop(self.queue)
            score = self._score(key)
            if score <= 0:
                continue
            if -negative > score:
                heapq.heappush(self.queue, (-score, key))
                continue
            self._take(key)

    def _take(self, key: _Key) -> None:
        number = _number_of(self.numbers, key)
        new = len(self.numbers)
        self.numbers.append(number)
        touched: set[_Key] = set()
        for index in sorted(self.where.pop(key, ())):
            terms = self.outputs[index]
            while (found := self._find(terms, key)) is not None:
                first, second = found
                for old in found:
                    terms.remove(old)
                    for other in terms:
                        self._count(index, old, other, -1)
                _, base, inverted = _key(first, second)
                term = Term(new, base, inverted)
                if inverted:
                    assert number.a is not None
                    assert number.b is not None
                    full_a = (2 ** self.numbers[key[0]].bits - 1) << number.a.shift
                    full_b = (2 ** self.numbers[key[1]].bits - 1) << number.b.shift
                    self.constants[index] += (full_a + full_b - (2**number.bits - 1)) << base
                for other in terms:
                    self._count(index, term, other, 1)
                    touched.add(_key(term, other)[0])
                terms.append(term)
        self.uses.pop(key, None)
        for each in sorted(touched):
            score = self._score(each)
            if score > 0:
                heapq.heappush(self.queue, (-score, each))

    @staticmethod
    def _find(terms: Sequence[Term], key: _Key) -> tuple[Term, Term] | None:
        firsts = [term for term in terms if term.number == key[0]]
        seconds = [term for term in terms if term.number == key[1]]
        for first in firsts:
            for second in seconds:
                if first != second and _key(first, second)[0] == key:
                    return (first, second)
        return None


def share(
    weight: npt.NDArray[np.int64], bounds: Sequence[tuple[int, int]], constants: Sequence[int], *, sharing: bool = True
) -> SharedSums:
    """Sums for y = weight · x + constants, x_i unsigned within bounds[i]; weight [outputs, inputs].

    Pairs alone, or triples and then pairs: whichever costs less.
    """
    start = _unshared(weight, bounds, constants)
    pairs = sum(len(terms) * (len(terms) - 1) // 2 for terms in start.outputs)
    if not sharing or not pairs or pairs > _MOST_PAIRS:
        return start
    found = [SharedSums(list(start.numbers), [list(terms) for terms in start.outputs], list(start.constants))]
    narrowest = min(number.bits for number in start.numbers)
    if share_triples(start.numbers, start.outputs, start.constants, least=0.0 if narrowest == 1 else _LEAST_SAVED):
        found.append(start)
    for sums in found:
        _Sharing(sums.numbers, sums.outputs, sums.constants).run()
    return min(found, key=cost)


def _unshared(weight: npt.NDArray[np.int64], bounds: Sequence[tuple[int, int]], constants: Sequence[int]) -> SharedSums:
    numbers = [Number(low, high) for low, high in bounds]
    outputs: list[list[Term]] = []
    offsets = [int(constant) for constant in constants]
    for index, row in enumerate(weight):
        terms = []
        for channel in np.flatnonzero(row):
            full = 2 ** numbers[channel].bits - 1
            if numbers[channel].high == 0:
                continue
            for shift, sign in signed_digits(int(row[channel])):
                terms.append(Term(int(channel), shift, sign < 0))
                if sign < 0:
                    offsets[index] -= full << shift
        outputs.append(terms)
    return SharedSums(numbers, outputs, offsets)


def inputs_of(numbers: Sequence[Number], uses: Mapping[int, int], index: int) -> dict[int, int] | None:
    """Numbers that a sum is a table of, with their bits, if they fit one: parts that nothing else uses dissolve."""
    found: dict[int, int] = {}
    number = numbers[index]
    for part in (number.a, number.b):
        if part is None:
            return None
        inner = inputs_of(numbers, uses, part.number) if uses[part.number] == 1 else None
        found.update(inner if inner is not None else {part.number: numbers[part.number].bits})
    return found if sum(found.values()) <= SMALL_INPUTS else None


def dissolving(numbers: Sequence[Number], uses: Mapping[int, int], index: int) -> list[int]:
    """The parts of a sum that stand within its table: nothing else uses them, and they are sums that fit a table
    themselves. Other parts are the table's inputs."""
    parts = (numbers[index].a, numbers[index].b)
    alone = [part.number for part in parts if part is not None and uses[part.number] == 1]
    return [part for part in alone if inputs_of(numbers, uses, part) is not None]


def count_uses(sums: SharedSums) -> dict[int, int]:
    """How often each number that reaches an output is used."""
    uses: dict[int, int] = defaultdict(int)
    for terms in sums.outputs:
        for term in terms:
            uses[term.number] += 1
    # A sum stands behind its parts.
    for index in range(len(sums.numbers) - 1, -1, -1):
        for part in (sums.numbers[index].a, sums.numbers[index].b):
            if part is not None and uses[index]:
                uses[part.number] += 1
    return uses


def cost(sums: SharedSums) -> float:
    """Lookup tables and carry cells, but for what all ways to write the same sums have in common."""
    uses = count_uses(sums)
    dissolved: set[int] = set()
    whole = 0.0
    for index in range(len(sums.numbers) - 1, -1, -1):
        number = sums.numbers[index]
        if number.a is None or number.b is None or not uses[index]:
            continue
        if index in dissolved or inputs_of(sums.numbers, uses, index) is not None:
            dissolved.update(dissolving(sums.numbers, uses, index))
        if index not in dissolved:
            whole += sum_cost(sums.numbers, number)[0]
    return whole + LUTS_PER_BIT * sum(sums.numbers[term.number].bits for terms in sums.outputs for term in terms)
