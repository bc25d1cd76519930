"""The checker's look at sums that are counted in planes of bits, 32 sums at once, and at what is made of them.

Two things are followed. Σ 2^k · plane k, one bit of each, is Σ f_i(x_i) + a constant modulo 2^planes: bits are
polynomials in bits before them (a and b = ab, a xor b = a + b − 2ab, a or b = a + b − ab), put in for each other from
the last operation to the first, till only functions of single inputs are left. And for all values of the planes' bits,
what was left in memory is the layer's function of the sum. Shares no code with `edgeml.proof.words`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .word_values import ALL, COLUMNS

__all__ = ["Planes"]

_MOST_PLANES, _MOST_VALUES, _MOST_TERMS, _MOST_NAMES = 16, 2**12, 2**14, 3
_BITWISE = ("and", "or", "xor")
Column = Any
Bit = dict[frozenset[Any], int]  # by sets of names: an input's function (0, input, column), an operation's bit (1, it)


class _Unclear(Exception):
    pass


class Planes:
    """The bits of a program's words, by which of the 32 of a word."""

    def __init__(self, operations: list[Any]) -> None:
        self.operations = operations
        self.lanes: dict[int, _Bits] = {}
        self.known_apart: dict[int, bool] = {}

    def holds(
        self,
        word: int,
        bits: int,
        planes: tuple[list[int], int],
        line: tuple[list[tuple[int, Column]], int],
        ends: tuple[int, int],
        function: Callable[[Column], Column],
    ) -> bool:
        """Whether so many bits of a word are a function of a sum.

        planes : words, lowest first, and which bit of each. line : the sum, (an input, what it adds by its values)
        of each term, and a constant. ends : of the sum.
        """
        numbers, lane = planes
        size = 1 << len(numbers)
        if len(numbers) > _MOST_PLANES or ends[1] - ends[0] >= size > 1 or not 0 <= lane < 32:
            return False
        try:
            sums = np.arange(ends[0], ends[1] + 1)
            if numbers:
                there = self.lane(lane)
                whole: Bit = {frozenset(): line[1]}
                for k, number in enumerate(numbers):
                    _add(whole, there.bit(number), -1 << k)
                for number, column in line[0]:
                    _add(whole, _of_input(number, np.asarray(column, np.int64)), 1)
                sums = ends[0] + (np.arange(size) + there.constant(whole, size) - ends[0]) % size
            rows = {(number, lane): np.arange(size) >> k & 1 for k, number in enumerate(numbers)}
            found = np.broadcast_to(_Left(self, rows).whole(word, bits), sums.shape) & (1 << bits) - 1
        except (_Unclear, RecursionError):
            return False
        can = sums <= ends[1]
        return bool(np.array_equal(found[can], function(sums[can]) & (1 << bits) - 1))

    def is_zero(self, word: int) -> bool:
        """Whether a byte is always 0."""
        try:
            return not _Left(self, {}).whole(word, 8).any()
        except (_Unclear, RecursionError):
            return False

    def lane(self, place: int) -> _Bits:
        return self.lanes.setdefault(place, _Bits(self, place))

    def apart(self, number: int) -> bool:
        """Whether the two words that a sum adds have no ones at one place."""
        if number not in self.known_apart:
            one, other = self.operations[number][1:]
            both = self._ones(one) & self._ones(other)
            self.known_apart[number] = all(self._never(one, other, k) for k in range(32) if both >> k & 1)
        return self.known_apart[number]

    def _never(self, one: int, other: int, place: int) -> bool:
        lane = self.lane(place)
        try:
            return lane.constant(lane.product(lane.bit(one), lane.bit(other)), 1 << 32) == 0
        except _Unclear:
            return False

    def _ones(self, number: int) -> int:
        """The bits of a word that may be 1, by the constants that stand in its operations."""
        if number < 0:
            return ~number & ALL
        name, *taken = self.operations[number]
        if name == "and":
            return self._ones(taken[0]) & self._ones(taken[1])
        if name in ("or", "xor"):
            return self._ones(taken[0]) | self._ones(taken[1])
        if name in ("shl", "shr") and taken[1] < 0:
            moved = self._ones(taken[0])
            return moved << int(~taken[1]) & ALL if name == "shl" else moved >> int(~taken[1])
        return ALL


def _add(total: Bit, other: Bit, factor: int) -> None:
    for names, value in other.items():
        total[names] = total.get(names, 0) + factor * value


def _of_input(number: int, column: Column) -> Bit:
    """A function of one input; each of its steps is a name, which begins with 0."""
    found: Bit = {frozenset(): int(column[0])}
    for value in np.unique(column).tolist():
        if value != column[0]:
            found[frozenset({(0, number, (column == value).tobytes())})] = value - int(column[0])
    return found


class _Bits:
    """One bit of each word that bitwise operations make."""

    def __init__(self, planes: Planes, lane: int) -> None:
        self.planes, self.operations, self.lane = planes, planes.operations, lane
        self.known: dict[int, Bit] = {}
        self.whole: dict[int, Bit] = {}
        self.columns: dict[int, Any] = {}
        self.places: dict[tuple[int, int], Bit] = {}

    def bit(self, number: int) -> Bit:
        if number < 0:
            return {frozenset(): ~number >> self.lane & 1}
        waiting = [number]
        while waiting:
            here = waiting[-1]
            taken = self.operations[here][1:]
            name, alone = self.named(here), self.column(here)
            missing = [each for each in taken if each >= 0 and each not in self.known] if name in _BITWISE else []
            if here not in self.known and (alone is not None or not missing):
                self.known[here] = self._made(here, alone)
            if here in self.known:
                waiting.pop()
            else:
                waiting += missing
        return self.known[number]

    def named(self, number: int) -> str:
        """An operation's name; a sum of words that have no ones at one place is `or`."""
        name = str(self.operations[number][0])
        return "or" if name == "add" and self.column(number) is None and self.planes.apart(number) else name

    def _made(self, number: int, alone: Any) -> Bit:
        name, taken = self.named(number), self.operations[number][1:]
        if alone is not None:
            return _of_input(alone[0], alone[1].astype(np.int64) >> self.lane & 1)
        if name in _BITWISE:
            one, other = (self.known[each] if each >= 0 else self.bit(each) for each in taken)
            if len(_names(one) | _names(other)) > _MOST_NAMES:
                one, other = (self._called(each, bit) for each, bit in zip(taken, (one, other), strict=True))
            both = self.product(one, other)
            if name == "and":
                return both
            made = dict(one)
            _add(made, other, 1)
            _add(made, both, -1 if name == "or" else -2)
            return made
        return self._called(number, {names: value for names, value in self._table(number).items() if value})

    def _called(self, number: int, bit: Bit) -> Bit:
        """The bit of an operation by a name of its own."""
        if len(_names(bit)) < 2:
            return bit
        self.whole[number] = bit
        return {frozenset({(1, number)}): 1}

    def _table(self, number: int) -> Bit:
        """A word that was looked up, or chosen, by a few bits."""
        name, *taken = self.operations[number]
        if name != "lookup":
            raise _Unclear
        address = _integer(self.operations, taken[0], self)
        names = sorted(_names(address))
        if len(names) > 8:
            raise _Unclear
        row = np.arange(1 << len(names))
        places = np.zeros(len(row), np.int64)
        for product, value in address.items():
            there = np.ones(len(row), np.int64)
            for each in product:
                there &= row >> names.index(each)
            places += (value & ALL) * (there & 1)
        index, entries = ((places & ALL) - taken[1]) // taken[2], np.array(taken[3], np.int64)
        inside = (index >= 0) & (index < len(entries))
        values = np.where(inside, entries[index * inside], 0) >> self.lane & 1
        found: Bit = {}
        for choice in np.flatnonzero(values).tolist():
            chosen: Bit = {frozenset(): 1}
            for k, each in enumerate(names):
                one: Bit = {frozenset({each}): 1}
                zero: Bit = {frozenset(): 1, frozenset({each}): -1}
                chosen = self.product(chosen, one if choice >> k & 1 else zero)
            _add(found, chosen, 1)
        return found

    def column(self, number: int) -> Any:
        """(the one input that a word is a function of, its values), or None."""
        if number not in self.columns:
            name, *taken = self.operations[number]
            found = None
            if name == "input" and taken[1] - taken[0] < _MOST_VALUES:
                found = number, np.arange(taken[0], taken[1] + 1).astype(np.uint32)
            elif name in COLUMNS:
                parts = [None if each < 0 else self.column(each) for each in taken]
                inputs = {part[0] for part in parts if part is not None}
                if len(inputs) == 1 and all(p is not None or each < 0 for p, each in zip(parts, taken, strict=True)):
                    pairs = zip(taken, parts, strict=True)
                    words = [np.array([~each], np.uint32) if part is None else part[1] for each, part in pairs]
                    found = inputs.pop(), np.asarray(COLUMNS[name](*words), np.uint32)
            self.columns[number] = found
        return self.columns[number]

    def product(self, one: Bit, other: Bit) -> Bit:
        made: Bit = {}
        for a, x in one.items():
            for b, y in other.items():
                names = _met(a | b)
                if names is not None:
                    made[names] = made.get(names, 0) + x * y
        return {names: value for names, value in made.items() if value}

    def constant(self, whole: Bit, size: int) -> int:
        """What a polynomial always is modulo `size`."""
        whole = {names: value for names, value in whole.items() if value % size}
        while called := [each for each in _names(whole) if each[0] == 1]:
            last = max(called)
            rest = {names: value for names, value in whole.items() if last not in names and value % size}
            for names, value in whole.items():
                if last in names and value % size:
                    _add(rest, self.product({names - {last}: value}, self.whole[last[1]]), 1)
            whole = {names: value for names, value in rest.items() if value % size}
            if len(whole) > _MOST_TERMS:
                raise _Unclear
        total, columns = whole.pop(frozenset(), 0), dict[int, Column]()
        for names, value in whole.items():
            if len(names) > 1:
                raise _Unclear
            ((_, number, column),) = names
            columns[number] = columns.get(number, 0) + value * np.frombuffer(column, bool).astype(np.int64)
        if any(((column - column[0]) % size).any() for column in columns.values()):
            raise _Unclear
        return int(total + sum(int(column[0]) for column in columns.values())) % size


def _names(bit: Bit) -> set[Any]:
    return set().union(*bit)


def _met(names: frozenset[Any]) -> frozenset[Any] | None:
    """A product of names, those of one input as one; None for 0."""
    columns: dict[int, Any] = {}
    for each in names:
        if each[0] == 0:
            before = columns.get(each[1], True)
            columns[each[1]] = before & np.frombuffer(each[2], bool)
    if not all(np.any(column) for column in columns.values()):
        return None
    return frozenset(e for e in names if e[0]) | {(0, number, c.tobytes()) for number, c in columns.items()}


def _integer(operations: list[Any], number: int, bits: _Bits) -> Bit:
    """A word as an integer modulo 2^32."""
    if number < 0:
        return {frozenset(): ~number}
    name, *taken = operations[number]
    total: Bit = {}
    if name in ("add", "sub") and bits.column(number) is None:
        for each, factor in zip(taken, (1, 1 if name == "add" else -1), strict=True):
            _add(total, _integer(operations, each, bits), factor)
        return total
    for place in range(32):
        _add(total, _place(operations, number, place, bits), 1 << place)
    return {names: value for names, value in total.items() if value}


def _place(operations: list[Any], number: int, place: int, bits: _Bits) -> Bit:
    """A bit of a word that packs bits of inputs."""
    if number < 0:
        return {frozenset(): 1} if ~number >> place & 1 else {}
    if (number, place) not in bits.places:
        made = _packed(operations, number, place, bits)
        bits.places[number, place] = {names: value for names, value in made.items() if value}
    return bits.places[number, place]


def _packed(operations: list[Any], number: int, place: int, bits: _Bits) -> Bit:
    alone = bits.column(number)
    if alone is not None:
        return _of_input(alone[0], alone[1].astype(np.int64) >> place & 1)
    name, *taken = operations[number]
    if name in ("shl", "shr") and taken[1] < 0:
        moved = place - ~taken[1] if name == "shl" else place + ~taken[1]
        return _place(operations, taken[0], moved, bits) if 0 <= moved < 32 else {}
    if name == "select" and taken[0] >= 0 and (chosen := bits.column(taken[0])) is not None:
        one, other = (_place(operations, each, place, bits) for each in taken[1:])
        first, made = _of_input(chosen[0], (chosen[1] != 0).astype(np.int64)), dict(other)
        _add(made, bits.product(first, one), 1)
        _add(made, bits.product(first, other), -1)
        return made
    if name not in (*_BITWISE, "add"):
        raise _Unclear
    if name == "add" and any(all(_place(operations, each, k, bits) for each in taken) for k in range(place + 1)):
        raise _Unclear  # two bits at one place, and a carry
    one, other = (_place(operations, each, place, bits) for each in taken)
    if not one or not other:
        return {} if name == "and" else one or other
    both, made = bits.product(one, other), dict(one)
    if name == "and":
        return both
    _add(made, other, 1)
    _add(made, both, -1 if name == "or" else -2)
    return made


class _Left:
    """Words for all values of the planes' bits; known : those bits, and what was made of them."""

    def __init__(self, planes: Planes, known: dict[tuple[int, int], Column]) -> None:
        self.planes, self.known = planes, known

    def place(self, number: int, place: int) -> Column:
        """A bit of a word."""
        if number < 0:
            return np.array([~number >> place & 1])
        if (number, place) not in self.known:
            self.known[number, place] = self._made(number, place)
        return self.known[number, place]

    def _made(self, number: int, place: int) -> Column:
        name, *taken = self.planes.operations[number]
        if name in ("shl", "shr", "sar") and taken[1] < 0:
            moved = place - ~taken[1] if name == "shl" else place + ~taken[1]
            moved = min(moved, 31) if name == "sar" else moved
            return self.place(taken[0], moved) if 0 <= moved < 32 else np.array([0])
        if name == "and" and any(self._is_zero(each, place) for each in taken):
            return np.array([0])
        if name in _BITWISE or (name == "add" and self.planes.apart(number)):
            return COLUMNS["or" if name == "add" else name](*(self.place(each, place) for each in taken))
        if name not in ("add", "sub", "mul"):
            bit = self.planes.lane(place).bit(number)
            if any(value for names, value in bit.items() if names):
                raise _Unclear
            return np.array([bit.get(frozenset(), 0)])
        return self.whole(number, place + 1) >> place & 1

    def _is_zero(self, number: int, place: int) -> bool:
        """Whether a bit is 0 whatever the planes are."""
        try:
            return not self.place(number, place).any()
        except _Unclear:
            return False

    def whole(self, number: int, count: int) -> Column:
        """The lowest bits of a word."""
        if number < 0:
            return np.array([~number & (1 << count) - 1])
        name, *taken = self.planes.operations[number]
        if name in ("sub", "mul") or (name == "add" and not self.planes.apart(number)):
            one, other = (self.whole(each, count) for each in taken)
            made = one + other if name == "add" else one - other if name == "sub" else one * other
            return made & (1 << count) - 1
        if name == "shl" and taken[1] < 0:
            return self.whole(taken[0], max(count - ~taken[1], 1)) << ~taken[1] & (1 << count) - 1
        return sum((self.place(number, k) << k for k in range(count)), np.zeros(1, np.int64))
