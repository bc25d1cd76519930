"""That some bits of a circuit are a weighted sum of others: piece by piece, in exact integers modulo 2^width.

A form is a sum of coefficients times bits (bit 1, the constant, carries the constant term). It is brought from the bits
that a value stands in to the bits of a layer's inputs by pieces, each an equation that is proved from gates alone: the
coefficients of a sum's outputs are a multiple of 1, 2, 4 …; of any other piece all rows of what it is made from are
looked at (few bits), and its outputs, weighted, turn out to be a weighted sum of its inputs in each row that can come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .circuit import Circuit, Sum, all_rows
from .cut_points import CutPoints
from .known_ranges import MOST_ROWS, KnownRanges, columns_of

__all__ = ["Form", "NotLinear", "Piece", "SumProof", "weighted"]

Form = dict[int, int]


@dataclass(frozen=True)
class Piece:
    """Σ coefficient · bit over `outputs` is that over `inputs`, modulo 2^width.

    Parameters
    ----------
    width : the equation holds modulo 2^width.
    kind : `sum` (one gate adds two numbers), `rows` (all rows of the inputs that can come were looked at; inputs that
        count for nothing stand among them, and bit 1 for the constant) or `channel` (what was proved of another channel
        of the same layer, `channel`, times a factor).
    leaves : of a sum whose carry would matter, the bits by which each of its numbers was looked at.
    within : places of the words that say which rows can come.
    """

    width: int
    kind: str
    outputs: tuple[tuple[int, int], ...]
    inputs: tuple[tuple[int, int], ...]
    leaves: tuple[tuple[int, ...], ...] = ()
    within: tuple[int, ...] = ()
    channel: int = -1


class NotLinear(Exception):
    """A piece is not a weighted sum; the message names it."""


def weighted(bits: Sequence[int], factor: int = 1) -> Form:
    """factor · (the number that bits are, lowest first; `~bit` for a complement) as a form."""
    form: Form = {}
    for k, bit in enumerate(bits):
        if bit < 0:
            add_to(form, 1, factor << k)
            add_to(form, ~bit, -factor << k)
        else:
            add_to(form, bit, factor << k)
    return form


def add_to(form: Form, bit: int, coefficient: int) -> None:
    """Add coefficient · bit; bit 0 is nothing."""
    if bit:
        form[bit] = form.get(bit, 0) + coefficient


class SumProof:
    """Brings forms to the bits of a layer's inputs, `ends`; keeps the pieces that it has proved for other forms."""

    def __init__(self, circuit: Circuit, points: CutPoints, ranges: KnownRanges, ends: Iterable[int]) -> None:
        self.circuit = circuit
        self.points = points
        self.ranges = ranges
        self.ends = frozenset(ends) | {1}
        self._known: dict[tuple[object, ...], Piece | None] = {}
        self._channels: dict[int, list[tuple[int, Form]]] = {}

    def learn(self, channel: int, equation: Form) -> None:
        """Use from now on that a form is 0: what was proved of a channel, over its bits and those of `ends`."""
        for bit in equation:
            if bit not in self.ends:
                self._channels.setdefault(bit, []).append((channel, equation))

    def bring(self, form: Form, width: int, *, functions: bool = False) -> tuple[list[Piece], Form]:
        """(pieces, the form over `ends`), modulo 2^width. NotLinear naming the bit that does not go on.

        With `functions`, bits that are made from `ends` alone stay where they are not weighted sums.
        """
        size = 1 << width
        form = {bit: value % size for bit, value in form.items() if value % size}
        pieces = []
        stay: set[int] = set()
        while inner := [bit for bit in form if bit not in self.ends and bit not in stay]:
            last = max(inner, key=lambda bit: (self.points.level(bit), bit))
            try:
                piece = self._piece(last, form, width)
            except NotLinear:
                if not functions or not self.points.behind(last) <= self.ends:
                    raise
                stay.add(last)
                continue
            for bit, value in piece.outputs:
                form[bit] = (form.get(bit, 0) - value) % size
            for bit, value in piece.inputs:
                form[bit] = (form.get(bit, 0) + value) % size
            form = {bit: value for bit, value in form.items() if value}
            pieces.append(piece)
            if form.get(last):
                raise NotLinear(self._name(last))
        return pieces, form

    def _name(self, bit: int) -> str:
        return self.points.word_of.get(bit, f"a signal within {self._next_name(bit)}")

    def _next_name(self, bit: int) -> str:
        return next((self.points.word_of[each] for each in sorted(self.points.word_of) if each > bit), "the output")

    def _piece(self, last: int, form: Mapping[int, int], width: int) -> Piece:
        place = self.circuit.driver.get(last)
        if place is None:
            raise NotLinear("an input that is not one of this layer's")
        for channel, equation in self._channels.get(last, ()):
            if (piece := self._channel(channel, equation, form, width)) is not None:
                return piece
        gate = self.circuit.gates[place]
        if isinstance(gate, Sum):
            factor = form.get(gate.outputs[0], 0)
            if all(form.get(bit, 0) == (factor << k) % (1 << width) for k, bit in enumerate(gate.outputs)):
                found = self._sum(gate, factor, width)
                if found is not None:
                    return found
        for group in self._groups(last, form):
            found = self._rows(group, {bit: form[bit] for bit in form if bit in group.outputs}, width)
            if found is not None:
                return found
        raise NotLinear(self._name(last))

    def _channel(self, channel: int, equation: Form, form: Mapping[int, int], width: int) -> Piece | None:
        """What is known of a channel, if the form has all its bits by their weights."""
        inner = {bit: value for bit, value in equation.items() if bit not in self.ends}
        least = min(inner, key=lambda bit: abs(inner[bit]))
        factor, rest = divmod(form.get(least, 0), inner[least])
        if rest or any((form.get(bit, 0) - factor * value) % (1 << width) for bit, value in inner.items()):
            return None
        outputs = tuple((bit, factor * value) for bit, value in inner.items())
        inputs = tuple((bit, -factor * value) for bit, value in equation.items() if bit in self.ends)
        return Piece(width, "channel", outputs, inputs, channel=channel)

    def _sum(self, gate: Sum, factor: int, width: int) -> Piece | None:
        """A gate that adds, all of whose outputs are needed by their weights; None if a lost carry matters."""
        leaves: tuple[tuple[int, ...], ...] = ()
        within: tuple[int, ...] = ()
        if (factor << len(gate.outputs)) % (1 << width):
            bounded = self.ranges.sum_range(gate)
            if bounded is None:
                return None
            leaves, within = bounded.leaves, bounded.within
        inputs: Form = {}
        for side in (gate.a, gate.b):
            for k, bit in enumerate(side):
                add_to(inputs, bit, factor << k)
        outputs = tuple((bit, factor << k) for k, bit in enumerate(gate.outputs))
        return Piece(width, "sum", outputs, tuple(inputs.items()), leaves, within)

    def _groups(self, last: int, form: Mapping[int, int]) -> Iterable[_Group]:
        """What to look at together: what the last bit is made from, then what its whole word is made from."""
        leaves = self.points.behind(last)
        tried = None
        word = self.points.words.get(self.points.word_of.get(last, ""), ())
        wider = leaves.union(*(self.points.behind(bit) for bit in word if bit in form and bit in self.circuit.driver))
        for each in (leaves, wider):
            if each == tried or len(each) > MOST_ROWS:
                continue
            tried = each
            outputs = frozenset(
                bit for bit in form if bit not in self.ends and bit not in each and self.points.behind(bit) <= each
            )
            own = frozenset(bit for bit in outputs if bit in word or bit not in self.points.word_of)
            yield _Group(own | {last}, tuple(sorted(each)))
            if own | {last} != outputs:
                yield _Group(outputs, tuple(sorted(each)))

    def _rows(self, group: _Group, form: Form, width: int) -> Piece | None:
        key = (tuple(sorted(form.items())), group.leaves, width)
        if key not in self._known:
            self._known[key] = self._looked_at(group, form, width)
        return self._known[key]

    def _looked_at(self, group: _Group, form: Form, width: int) -> Piece | None:
        """The piece that all rows of the leaves show, first of all rows at all, then of those that can come."""
        count = 1 << len(group.leaves)
        patterns, mask = all_rows(len(group.leaves))
        bits = sorted(form)
        rows = self.circuit.rows(bits, dict(zip(group.leaves, patterns, strict=True)), mask)
        values = np.zeros(count, np.int64)
        for bit, column in zip(bits, columns_of(rows, count), strict=True):
            values += form[bit] * column
        columns = columns_of(patterns, count)
        for find in (False, True):
            can = np.ones(count, bool)
            used: tuple[int, ...] = ()
            if find:
                can, used = self.ranges.allowed(group.leaves, columns, find=True)
                if not used:
                    return None
            fitted = _fitted(values, columns, can, width)
            if fitted is not None:
                coefficients, constant = fitted
                inputs = [*zip(group.leaves, coefficients, strict=True), (1, constant)]
                return Piece(width, "rows", tuple(sorted(form.items())), tuple(inputs), (), used)
        return None


@dataclass(frozen=True)
class _Group:
    """Bits that are looked at together, and what they are made from."""

    outputs: frozenset[int]
    leaves: tuple[int, ...]


def _fitted(
    values: npt.NDArray[np.int64], columns: Sequence[npt.NDArray[np.int64]], can: npt.NDArray[np.bool_], width: int
) -> tuple[list[int], int] | None:
    """(coefficients, constant) with which values are a weighted sum of columns modulo 2^width in all rows that can
    come; None if there are none."""
    row = np.arange(len(values))
    coefficients = []
    rest = values.copy()
    for k, column in enumerate(columns):
        pairs = can & (column == 0) & can[row | (1 << k)]
        first = int(np.argmax(pairs))
        # Where no two rows that come differ in this bit alone, two that do not come show what it may count for.
        first = first if pairs[first] else 0
        coefficient = int(values[first | (1 << k)] - values[first]) % (1 << width)
        coefficients.append(coefficient)
        rest -= coefficient * column
    constant = int(rest[int(np.argmax(can))]) % (1 << width)
    if ((rest[can] - constant) & ((1 << width) - 1)).any():
        return None
    return coefficients, constant
