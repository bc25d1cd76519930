"""Layers on packed bits: sums that are counted in planes of bits, and what is made of those bit by bit.

A word there holds one bit of each of 32 sums. Planes are words that are made of inputs and of each other; what compares
them with thresholds mixes them with constants, by which the cut is found. Of each sum is proved that its planes,
weighted 1, 2, 4 …, are the layer's sum and a constant (`BitWords.constant`), and for all values of these bits that can
come that what was left in memory is the layer's function of that sum. Where planes are sought decides nothing else:
in another place the proof fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..statement import Affine, Function, statement_of
from .bit_polynomials import BitWords, Polynomial, TooMuch, added
from .claims import PLANES, Claim, Source
from .dataflow import Dataflow, Node, Operand

__all__ = ["PackedClaims"]

_MOST_PLANES = 16
_ALL = (1 << 32) - 1
_THROUGH = ("and", "or", "xor", "add", "sub", "mul")
Column = npt.NDArray[np.int64]


class PackedClaims:
    """The claims of one stage: encode, if it packs features, a dense layer, and thresholds, if they follow."""

    def __init__(self, flow: Dataflow, stage: Any, sources: Sequence[Source]) -> None:
        self._operations, self._low = flow.operations, int(stage.output.low)
        self._words = BitWords(flow.operations)
        self._layers, self._source = list(stage.job.nodes), sources[0]
        self._mixes: dict[int, bool] = {}
        self._found: tuple[Sequence[int], int] = ((), 0)

    def claim(self, channel: int, word: Operand) -> Claim:
        """Whether a word is the stored integer of a channel."""
        try:
            detail = self._wrong(channel, ~word if isinstance(word, int) else word.number)
        except (TooMuch, RecursionError) as error:
            detail = str(error)
        return Claim(channel, word, not detail, "" if detail else PLANES, detail, None, self._found)

    def is_zero(self, word: int) -> bool:
        """Whether a byte behind a tensor is 0: a lane of no output."""
        known: dict[Any, Column] = {}
        try:
            return not any(self._row(word, place, known).any() for place in range(8))
        except (TooMuch, RecursionError):
            return False

    def _wrong(self, channel: int, word: int) -> str:
        layers = self._layers
        encode = layers[0] if layers[0].layer.kind == "encode" else None
        dense, *last = layers[1:] if encode else layers
        statement = statement_of(dense, channel)
        if not isinstance(statement, Affine):
            return "the layer is no weighted sum"
        total, low, high = self._sum(statement, encode)
        if not last:
            return self._compared(word, total, (low, high), 32, lambda z: z)
        function = statement_of(last[0], channel)
        if len(last) > 1 or not isinstance(function, Function) or function.sources != ((0, channel),):
            return "what follows is no function of the sum"
        return self._compared(word, total, (low, high), 8, lambda z: np.asarray(function.values([z])))

    def _sum(self, statement: Affine, encode: Any) -> tuple[Polynomial, int, int]:
        """A layer's sum of inputs, and its ends."""
        total: Polynomial = {(): statement.constant}
        low = high = statement.constant
        for (_, place), weight in statement.weights.items():
            column, node = self._input(place, encode)
            added(total, self._words.function(node.number, column), weight)
            ends = weight * int(column.min()), weight * int(column.max())
            low, high = low + min(ends), high + max(ends)
        return total, low, high

    def _input(self, place: int, encode: Any) -> tuple[Column, Node]:
        """What the dense layer takes at a place, for each stored integer of a node."""
        function = None if encode is None else statement_of(encode, place)
        if isinstance(function, Function):
            ((_, place),) = function.sources
        node = self._source.nodes[place]
        _, first, last = self._operations[node.number]
        values = np.arange(first, last + 1) + self._source.low
        return (np.asarray(function.values([values])) if isinstance(function, Function) else values), node

    def _compared(
        self, word: int, total: Polynomial, ends: tuple[int, int], bits: int, function: Callable[[Column], Column]
    ) -> str:
        """Why so many bits of a word are not a function of a sum less what 0 stands for; empty if they are."""
        lanes: set[int] = set()
        for place in range(bits):
            self._lanes(word, place, lanes, set())
        planes: set[int] = set()
        self._planes(word, planes, set())
        if len(lanes) > 1 or len(planes) > _MOST_PLANES:
            return f"it is made of {len(planes)} planes, of bits {sorted(lanes)} of each"
        # A plane is made of those below it, and so comes later.
        order = [(plane, lane) for plane in sorted(planes) for lane in lanes]
        self._found = [plane for plane, _ in order], max(lanes, default=0)
        size = 1 << len(order)
        count = np.arange(size) if order else np.arange(ends[1] - ends[0] + 1)
        sums = count + ends[0]  # of an output that is always the same, all of them
        if order:
            counted: Polynomial = {}
            for k, (plane, lane) in enumerate(order):
                added(counted, self._words.bit(plane, lane), 1 << k)
            less = self._words.constant(added(dict(total), counted, -1), len(order))
            sums = ends[0] + (count + less - ends[0]) % size
            if ends[1] - ends[0] >= size:
                return f"{len(order)} planes do not hold its sum"
        can = sums <= ends[1]
        known: dict[Any, Column] = {bit: count >> k & 1 for k, bit in enumerate(order)}
        found = np.broadcast_to(self._integer(word, bits, known), count.shape)[can] & ((1 << bits) - 1)
        expected = function(sums[can]) - self._low & ((1 << bits) - 1)
        wrong = np.flatnonzero(found != expected)
        if not wrong.size:
            return ""
        first = int(wrong[0])
        return f"where the sum is {sums[can][first]} it is {found[first]}, not {expected[first]}"

    def _integer(self, word: int, bits: int, known: dict[Any, Column]) -> Column:
        """The lowest bits of a word for all values of the planes' bits."""
        if word < 0:
            return np.array([~word])
        name, *operands = self._words.operation(word)
        if name in ("add", "sub", "mul"):
            one, other = (self._integer(each, bits, known) for each in operands)
            found = one + other if name == "add" else one - other if name == "sub" else one * other
            return np.asarray(found & ((1 << bits) - 1))
        if name == "shl" and operands[1] < 0:
            return np.asarray(self._integer(operands[0], bits, known) << ~operands[1] & ((1 << bits) - 1))
        rows = [self._row(word, place, known) << place for place in range(bits)]
        return sum(rows, np.zeros(1, np.int64))

    def _plain(self, word: int) -> int:
        """A word without what leaves it as it is."""
        while word >= 0:
            name, *operands = self._operations[word]
            if name == "and" and ~0 in operands:
                return ~0
            idle = {"xor": ~0, "or": ~0, "add": ~0, "and": ~_ALL}.get(name)
            if idle is None or idle not in operands:
                break
            word = operands[operands[0] == idle]
        return word

    def _is_mixed(self, word: int) -> bool:
        """Whether a word is made of constants, too, but for its complement: masked, shifted, compared."""
        word = self._plain(word)
        if word < 0:
            return False
        if word not in self._mixes:
            name, *operands = self._words.operation(word)
            own = name in ("and", "or", "xor") and any(each < 0 and ~each not in (0, _ALL) for each in operands)
            own |= name in ("shl", "shr", "sar")
            self._mixes[word] = own or (name in _THROUGH and any(self._is_mixed(each) for each in operands))
        return self._mixes[word]

    def _goes_on(self, word: int) -> bool:
        """Whether a word is looked through: what is mixed, and the complement of a plane."""
        return self._is_mixed(word) or (self._operations[word][0] == "xor" and ~_ALL in self._operations[word])

    def _planes(self, word: int, planes: set[int], seen: set[int]) -> None:
        """Enter the planes that a word is made of."""
        word = self._plain(word)
        if word < 0:
            return
        if not self._goes_on(word):
            planes.add(word)
        elif word not in seen:
            seen.add(word)
            for each in self._words.operation(word)[1:]:
                self._planes(each, planes, seen)

    def _lanes(self, word: int, place: int, lanes: set[int], seen: set[tuple[int, int]]) -> None:
        """Enter the bits of planes that a bit is made of."""
        word = self._plain(word)
        if word < 0 or not self._words.ones(word) >> place & 1 or (word, place) in seen:
            return
        seen.add((word, place))
        if not self._goes_on(word):
            lanes.add(place)
            return
        for each, at in self._below(word, place):
            self._lanes(each, at, lanes, seen)

    def _below(self, word: int, place: int) -> list[tuple[int, int]]:
        """The bits that a bit is made of."""
        name, *operands = self._words.operation(word)
        if name in ("and", "or", "xor"):
            return [(each, place) for each in operands]
        if name in ("add", "sub", "mul"):
            return [(each, at) for each in operands for at in range(place + 1)]
        moved = place - ~operands[1] if name == "shl" else place + ~operands[1]
        moved = min(moved, 31) if name == "sar" else moved
        return [(operands[0], moved)] if 0 <= moved < 32 else []

    def _row(self, word: int, place: int, known: dict[Any, Column]) -> Column:
        """A bit for all values of the planes' bits."""
        word = self._plain(word)
        if word < 0:
            return np.array([~word >> place & 1])
        if not self._words.ones(word) >> place & 1:
            return np.array([0])
        if (word, place) not in known:
            name = self._words.operation(word)[0]
            if name in ("add", "sub", "mul"):
                known[word, place] = self._integer(word, place + 1, known) >> place & 1
                return known[word, place]
            if not self._goes_on(word):
                bit = self._words.bit(word, place)
                if bit.keys() - {()}:
                    raise TooMuch("a bit of another plane")
                return np.array([bit.get((), 0)])
            taken = [self._row(each, at, known) for each, at in self._below(word, place)]
            if len(taken) == 2:
                one, other = taken
                known[word, place] = one & other if name == "and" else one | other if name == "or" else one ^ other
            else:
                known[word, place] = taken[0] if taken else np.array([0])
        return known[word, place]
