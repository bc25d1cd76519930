"""A claim of two bits as clauses, for a solver: the gates between, and that the claim is false.

A literal is the number of a bit (it is 1) or `~` one (it is 0); a bit that equals an earlier one is that literal.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from .cone import Cone, Known

__all__ = ["Clause", "clauses_of"]

Clause = tuple[tuple[int, ...], int]
"""Literals one of which holds, and the bit of the gate that says so."""


def clauses_of(cone: Cone, known: Known) -> list[Clause]:
    """The clauses of all gates in a cone, `found` being the complement of what is claimed: no values satisfy them
    if and only if the claim follows."""
    found: list[Clause] = []
    for bit in cone.inner:
        inputs, table = known.gates.gates[bit - known.gates.input_bits - 2]
        output = bit if bit != cone.found else ~cone.equal
        pins = (*(known.literal(each) for each in inputs), output)
        found += ((clause, bit) for clause in _gate(pins, table))
    return found


def _gate(pins: tuple[int, ...], table: int) -> Iterator[tuple[int, ...]]:
    """The clauses of a gate, without those that hold anyhow and literals that cannot hold."""
    for clause in _of_table(len(pins) - 1, table):
        literals = {pins[k] if k >= 0 else ~pins[~k] for k in clause} - {0, ~1}
        if not literals & {1, ~0} and not any(~each in literals for each in literals):
            yield tuple(sorted(literals))


@lru_cache(maxsize=4096)
def _of_table(count: int, table: int) -> tuple[tuple[int, ...], ...]:
    """Clauses over pins (`count`: the output) that say that the output is the table's entry."""
    full = (1 << (1 << count)) - 1
    ones, zeros = _cubes(table, table, count), _cubes(full ^ table, full ^ table, count)
    return tuple((*(~k for k in cube), count) for cube in ones) + tuple((*(~k for k in cube), ~count) for cube in zeros)


def _cubes(least: int, most: int, count: int) -> list[tuple[int, ...]]:
    """Products of literals whose union holds all of `least` and nothing beyond `most` (Minato and Morreale)."""
    if not least:
        return []
    if most == (1 << (1 << count)) - 1:
        return [()]
    last = count - 1
    half = 1 << last
    low = (1 << half) - 1
    least0, least1, most0, most1 = least & low, least >> half, most & low, most >> half
    only0 = _cubes(least0 & ~most1, most0, last)
    only1 = _cubes(least1 & ~most0, most1, last)
    rest0, rest1 = least0 & ~_union(only0, last), least1 & ~_union(only1, last)
    both = _cubes(rest0 | rest1, most0 & most1, last)
    return [(*cube, ~last) for cube in only0] + [(*cube, last) for cube in only1] + both


def _union(cubes: list[tuple[int, ...]], count: int) -> int:
    """The rows that some cube holds."""
    rows = 1 << count
    found = 0
    for cube in cubes:
        held = (1 << rows) - 1
        for literal in cube:
            k = literal if literal >= 0 else ~literal
            ones = _held_by(k, count)
            held &= ones if literal >= 0 else ~ones
        found |= held
    return found


@lru_cache(maxsize=256)
def _held_by(place: int, count: int) -> int:
    """The rows of `count` bits in which the bit at a place is 1."""
    return sum(1 << x for x in range(1 << count) if (x >> place) & 1)
