"""A Boolean function of up to six inputs as operations of three inputs: instructions of AVX-512, expressions elsewhere.

An operation of code t on a, b and c is bit 4 a + 2 b + c of t. References to values: k ≥ 0 is input k, or operation
k − inputs; ~k its complement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product

__all__ = ["PAIRS", "Operations", "expression", "operations_of", "reordered"]

_LEAF = 3
_MOST_COLUMNS = 4
_MOST_SPLITS = 3
_PLACES = (0xF0, 0xCC, 0xAA)
"""The codes that are a, b and c themselves."""

PAIRS = frozenset(code for f, g in permutations(_PLACES, 2) for code in (f & g, f | g, f ^ g, f & ~g))
"""Codes of and, or, exclusive or, and of a value without another: of two inputs, which no instruction writes over."""

_HALVES = {(0, 1): ((1, 0), (0, 1)), (0, 2): ((1, 0), (1, 1)), (1, 2): ((1, 1), (1, 0))}
"""Of the lower half of a function, the upper one, and where they differ, the two that it is made of; and of which of
them the lower half is the exclusive or, and the upper one."""

Operation = tuple[int, int, int, int]
"""Code and references."""


@dataclass(frozen=True)
class Operations:
    """Operations in order, and the reference that is the function; one of a constant is None, its value `constant`."""

    inputs: int
    steps: tuple[Operation, ...]
    result: int | None
    constant: int = 0


class _Steps:
    """Operations so far: equal ones, and complements of each other, are made once."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.steps: list[Operation] = []
        self._known: dict[Operation, int] = {}

    def add(self, code: int, references: tuple[int, int, int]) -> int:
        """The reference to an operation."""
        for place, reference in enumerate(references):
            if reference < 0:
                mask, shift = _PLACES[place], 4 >> place
                code = (code & mask) >> shift | (code & ~mask & 0xFF) << shift
        references = tuple(~r if r < 0 else r for r in references)  # type: ignore[assignment]
        inverted = bool(code & 1)
        key = (code ^ 0xFF if inverted else code, *references)
        if key not in self._known:
            self._known[key] = self.inputs + len(self.steps)
            self.steps.append(key)
        return ~self._known[key] if inverted else self._known[key]

    def leaf(self, table: int, places: tuple[int, ...]) -> int:
        """The reference to a function of one to three values, that depends on them all."""
        if len(places) == 1:
            return places[0] if table == 0b10 else ~places[0]
        a, b, c = (*places, *places)[:3] if len(places) == 2 else places
        code = 0
        for number in range(8):
            bits = (number >> 2, number >> 1 & 1, number & 1)
            index = sum(bits[k] << k for k in range(len(places)))
            code |= (table >> index & 1) << number
        return self.add(code, (a, b, c))

    def shannon(self, table: int, places: tuple[int, ...]) -> int | None:
        """The reference to a function whose last inputs choose first; None of a
        constant."""
        table, places = _reduced(table, places)
        if len(places) <= _LEAF:
            return self.leaf(table, places) if places else None
        size = 1 << len(places) - 1
        low, high = table & (1 << size) - 1, table >> size
        return self.choice(places[-1], (low, high), places[:-1])

    def choice(self, chooser: int, halves: tuple[int, int], places: tuple[int, ...]) -> int:
        """The reference to halves[value of the chooser], two functions that differ: made of those two of both halves
        and their difference that take fewest operations."""
        parts = (*halves, halves[0] ^ halves[1])
        costs = [_cost(part, len(places)) for part in parts]
        chosen = min(_HALVES, key=lambda pair: costs[pair[0]] + costs[pair[1]])
        references = [self.shannon(parts[part], places) for part in chosen]
        ends = [parts[part] & 1 for part in chosen]  # of a constant, its value
        code = 0
        for number in range(8):
            a, b, c = number >> 2, number >> 1 & 1, number & 1
            values = (b if references[0] is not None else ends[0], c if references[1] is not None else ends[1])
            of_first, of_second = _HALVES[chosen][a]
            code |= (of_first & values[0] ^ of_second & values[1]) << number
        first, second = (chooser if reference is None else reference for reference in references)
        return self.add(code, (chooser, first, second))


@cache
def _cost(table: int, inputs: int) -> int:
    """Operations of a function whose last inputs choose first, where nothing is shared."""
    table, places = _reduced(table, tuple(range(inputs)))
    if len(places) <= _LEAF:
        return int(len(places) > 1)
    size = 1 << len(places) - 1
    low, high = table & (1 << size) - 1, table >> size
    return 1 + sum(sorted(_cost(part, len(places) - 1) for part in (low, high, low ^ high))[:2])


@cache
def operations_of(table: int, inputs: int) -> Operations:
    """The fewest operations that are found for bit x of `table`, x the number of the inputs, of equally many those of
    the shortest expressions: whole functions of three inputs, chosen among by others in the best order; and functions
    of functions of three inputs."""
    table, places = _reduced(table, tuple(range(inputs)))
    if not places:
        return Operations(inputs, (), None, table & 1)
    return min(_candidates(table, places, inputs), key=lambda made: (len(made.steps), _in_pairs(made)))


def _in_pairs(made: Operations) -> int:
    """Operations of two values, where there are none of three."""
    return sum(_expressions()[code][0] for code, *_ in made.steps)


def _candidates(table: int, places: tuple[int, ...], inputs: int) -> Iterator[Operations]:
    if len(places) <= _LEAF:
        yield _in_order(table, places, inputs, places)
        return
    leaves = {free: set(_columns(table, places, free).values()) for free in combinations(places, _LEAF)}
    made = {free: len({min(column, column ^ 0xFF) for column in found} - {0}) for free, found in leaves.items()}
    for free in sorted(made, key=made.__getitem__)[:_MOST_SPLITS]:
        for order in permutations(place for place in places if place not in free):
            yield _in_order(table, places, inputs, (*free, *order))
    codes = {
        bound: len(set(_columns(table, places, tuple(place for place in places if place not in bound)).values()))
        for bound in combinations(places, _LEAF)
    }
    for bound in sorted(codes, key=codes.__getitem__)[:_MOST_SPLITS]:
        if codes[bound] <= _MOST_COLUMNS:
            found = _of_codes(table, places, inputs, bound)
            if found is not None:
                yield found


def _in_order(table: int, places: tuple[int, ...], inputs: int, order: tuple[int, ...]) -> Operations:
    steps = _Steps(inputs)
    result = steps.shannon(_permuted(table, places, order), order)
    return Operations(inputs, tuple(steps.steps), result)


def _of_codes(table: int, places: tuple[int, ...], inputs: int, bound: tuple[int, ...]) -> Operations | None:
    """The function by what matters of three inputs: which of few columns they choose, in one or two codes."""
    free = tuple(place for place in places if place not in bound)
    columns = _columns(table, places, free)
    different = list(dict.fromkeys(columns.values()))
    if len(different) > _MOST_COLUMNS:
        return None
    codes = max(1, (len(different) - 1).bit_length())
    steps = _Steps(inputs)
    made = []
    for code in range(codes):
        of_bound = sum((different.index(column) >> code & 1) << number for number, column in columns.items())
        reduced, left = _reduced(of_bound, bound)
        made.append(steps.leaf(reduced, left))
    # Codes that do not come stand for the last column.
    padded = [different[min(code, len(different) - 1)] for code in range(1 << codes)]
    outer = sum(column << (code << len(free)) for code, column in enumerate(padded))
    inner = operations_of(outer, len(free) + codes)
    if inner.result is None:
        return None
    names = [*free, *made]
    for code, *references in inner.steps:
        a, b, c = (~names[~r] if r < 0 else names[r] for r in references)
        names.append(steps.add(code, (a, b, c)))
    result = names[~inner.result] if inner.result < 0 else names[inner.result]
    return Operations(inputs, tuple(steps.steps), ~result if inner.result < 0 else result)


def _columns(table: int, places: tuple[int, ...], free: tuple[int, ...]) -> dict[int, int]:
    """The function of the `free` inputs for each number of the others."""
    others = [place for place in places if place not in free]
    ordered = _permuted(table, places, (*free, *others))
    size = 1 << len(free)
    return {number: ordered >> number * size & (1 << size) - 1 for number in range(1 << len(others))}


def _reduced(table: int, places: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Without inputs that do not matter."""
    for position in range(len(places) - 1, -1, -1):
        ones = _masks(len(places))[position]
        shift = 1 << position
        if (table & ones) >> shift == table & (ones >> shift):
            table = _permuted(table, places, (*places[:position], *places[position + 1 :], places[position]))
            places = (*places[:position], *places[position + 1 :])
            table &= (1 << (1 << len(places))) - 1
    return table, places


@cache
def _masks(inputs: int) -> tuple[int, ...]:
    return tuple(sum(1 << x for x in range(1 << inputs) if x >> place & 1) for place in range(inputs))


def _permuted(table: int, places: tuple[int, ...], order: tuple[int, ...]) -> int:
    """The table where input k is what was at the position of order[k]."""
    if places == order:
        return table
    numbers = _numbers(tuple(places.index(place) for place in order))
    return sum((table >> number & 1) << x for x, number in enumerate(numbers))


@cache
def _numbers(positions: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        sum((x >> k & 1) << position for k, position in enumerate(positions)) for x in range(1 << len(positions))
    )


def reordered(code: int, order: Sequence[int]) -> int:
    """The code of the operation whose input k is the one that was at order[k]."""
    moved = 0
    for number in range(8):
        before = sum((number >> 2 - k & 1) << 2 - place for k, place in enumerate(order))
        moved |= (code >> before & 1) << number
    return moved


@cache
def _expressions() -> dict[int, tuple[int, str]]:
    """For each code the shortest expression of and, or, exclusive or and complement, and its operations."""
    found: dict[int, tuple[int, str]] = dict(zip(_PLACES, ((0, name) for name in "abc"), strict=True))
    known: list[dict[int, str]] = [dict(zip(_PLACES, "abc", strict=True))]
    while len(found) < 254:
        fresh: dict[int, str] = {}
        cost = len(known)
        for left in range(cost):
            pairs = product(known[left].items(), known[cost - 1 - left].items())
            for (f, first), (g, second) in pairs:
                for code, text in (
                    (f & g, f"({first} & {second})"),
                    (f | g, f"({first} | {second})"),
                    (f ^ g, f"({first} ^ {second})"),
                    (f & ~g & 0xFF, f"({first} & ~{second})"),
                ):
                    if code not in found and code not in fresh and code not in (0, 0xFF):
                        fresh[code] = text
        for f, text in known[cost - 1].items():
            if f ^ 0xFF not in found and f ^ 0xFF not in fresh:
                fresh[f ^ 0xFF] = f"~{text}"
        found.update({code: (cost, text) for code, text in fresh.items()})
        known.append(fresh)
    return found


def expression(code: int) -> str:
    """An operation's value in C, of the words a, b and c."""
    if code in (0x00, 0xFF):
        return "a & ~a" if code == 0x00 else "a | ~a"
    text = _expressions()[code][1]
    return text[1:-1] if text.startswith("(") else text
