"""A chain of Boolean functions as planes: which there are, and the lines of C that make one of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
import numpy.typing as npt

from edgeml.network import Logic

from .ternary import PAIRS, operations_of, reordered

__all__ = ["ROWS", "Bit", "Function", "Planes", "needed_inputs"]

ROWS = 65
"""Planes from those of 64 rows to those of the next 64: the C says why."""
_MOST_COMPLETIONS = 9


@dataclass(frozen=True)
class Bit:
    """A plane, or a variable by its name, or the complement; without either 0, or 1 where it is inverted."""

    plane: int | str | None
    inverted: bool = False

    def __invert__(self) -> Bit:
        return Bit(self.plane, not self.inverted)


@dataclass(frozen=True)
class Function:
    """A function of planes that is not made yet, or its complement: bit x of `entries`, x the number of the planes."""

    planes: tuple[int, ...]
    entries: int
    inverted: bool = False

    def __invert__(self) -> Function:
        return Function(self.planes, self.entries, not self.inverted)


def needed_inputs(layer: Logic, needed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The inputs that matter to the `needed` functions of a layer."""
    found = np.zeros(layer.inputs, np.bool_)
    tables = layer.tables[needed].reshape(-1, *[2] * layer.fan_in)
    for place in range(layer.fan_in):
        halves = np.moveaxis(tables, layer.fan_in - place, 1).reshape(len(tables), 2, 1 << (layer.fan_in - 1))
        found[layer.sources[needed, place][np.any(halves[:, 0] != halves[:, 1], axis=1)]] = True
    return found


@dataclass
class Planes:
    """Planes so far, and what makes them.

    Parameters
    ----------
    count : planes, the first of which are not made here.
    lines : C statements in order. ends : how many of them stand before a place where a C function may end.
    codes : of the operations in them.
    levels : of planes that are levels of a value, which value and from where on they are 1.
    """

    count: int
    lines: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)
    levels: dict[int, tuple[int, int]] = field(default_factory=dict)
    _known: dict[Function, Bit] = field(default_factory=dict)
    _temporaries: int = 0

    def operation(self, code: int, *values: Bit) -> str:
        """An operation on three bits."""
        for place, value in enumerate(values):
            if value.inverted:
                mask, shift = (0xF0, 0xCC, 0xAA)[place], 4 >> place
                code = (code & mask) >> shift | (code & ~mask & 0xFF) << shift
        return self._text_of(code, [_text(value.plane) for value in values])

    def _text_of(self, code: int, texts: Sequence[str]) -> str:
        """An operation on three words: those that nothing else needs first, as an instruction of AVX-512 writes its
        result over its first operand, and planes last, as its third may be in memory."""
        order = sorted(range(3), key=lambda place: _rank(texts[place]))
        code = reordered(code, order)
        self.codes.add(code)
        a, b, c = (texts[place] for place in order)
        return f"{'EDGEML_PAIR' if code in PAIRS else 'EDGEML_F'}({code:02x}, {a}, {b}, {c})"

    def store(self, text: str, at: int | None = None) -> int:
        """The plane of a value: a new one, or one that was set apart."""
        if at is None:
            at = self.count
            self.count += 1
        self.lines.append(f"{_text(at)} = {text};")
        return at

    def end(self) -> None:
        """No variable is needed any more."""
        self.ends.append(len(self.lines))

    def temporary(self, text: str) -> str:
        """A new variable of a value."""
        name = f"t{self._temporaries}"
        self._temporaries += 1
        self.lines.append(f"const edgeml_slice {name} = {text};")
        return name

    def function(self, table: int, bits: Sequence[Bit], kept: bool = True) -> Bit | Function:
        """The bit that is a function of others: bit x of `table`, x their number. One that is not kept is made where
        it is needed."""
        left = sorted({bit.plane for bit in bits if isinstance(bit.plane, int)})
        entries = 0
        for x in range(1 << len(left)):
            values = (bit.inverted ^ (isinstance(bit.plane, int) and x >> left.index(bit.plane) & 1) for bit in bits)
            entries |= (table >> sum(value << place for place, value in enumerate(values)) & 1) << x
        entries = self._completed(tuple(left), entries)
        inverted = bool(entries & 1)  # what is 1 of no input is the complement of another
        entries ^= (1 << (1 << len(left))) - 1 if inverted else 0
        key = Function(tuple(left), entries)
        if entries and not kept and key not in self._known:
            return ~key if inverted else key
        if key not in self._known:
            self._known[key] = self._stored(self.variable(key)) if entries else Bit(None)
        return ~self._known[key] if inverted else self._known[key]

    def _completed(self, left: tuple[int, ...], entries: int) -> int:
        """The function of the fewest operations among some that differ where no value takes the planes: a higher level
        of a value is not reached without a lower one."""
        found = [entries]
        for high, low in permutations(range(len(left)), 2):
            of_high, of_low = (self.levels.get(left[place], (-1, 0)) for place in (high, low))
            if of_high[0] == of_low[0] >= 0 and of_high[1] > of_low[1] and len(found) <= _MOST_COMPLETIONS:
                found += [_without(each, len(left), high, low, change) for each in found for change in (high, low)]
        return min(dict.fromkeys(found), key=lambda each: len(operations_of(each, len(left)).steps))

    def _stored(self, bit: Bit) -> Bit:
        """The bit of a plane."""
        if not isinstance(bit.plane, str):
            return bit
        name, text = self.lines.pop().removeprefix("const edgeml_slice ").removesuffix(";").split(" = ", 1)
        assert name == bit.plane
        plane = self.store(text)
        self.end()
        return Bit(plane, bit.inverted)

    def variable(self, function: Function) -> Bit:
        """The bit of a function: a new variable, or a plane where it is one."""
        made = operations_of(function.entries, len(function.planes))
        assert made.result is not None
        result, left, inputs = made.result, function.planes, len(function.planes)
        inverted, result = (True, ~result) if result < 0 else (False, result)
        if result < inputs:
            return Bit(left[result], inverted ^ function.inverted)
        uses = [0] * (inputs + len(made.steps))
        for _, *references in made.steps:
            for reference in set(references):
                uses[reference] += 1
        texts = [_text(plane) for plane in left]
        for number, (code, a, b, c) in enumerate(made.steps, inputs):
            text = self._text_of(code, (texts[a], texts[b], texts[c]))
            repeated = uses[number] > 1 or any(references.count(number) > 1 for references in made.steps)
            texts.append(self.temporary(text) if repeated or number == result else text)
        return Bit(texts[result], inverted ^ function.inverted)


def _without(entries: int, inputs: int, high: int, low: int, change: int) -> int:
    """A function where entries with input `high` and not `low` are those of the other value of input `change`."""
    made = 0
    for x in range(1 << inputs):
        unreached = x >> high & 1 and not x >> low & 1
        made |= (entries >> (x ^ (1 << change if unreached else 0)) & 1) << x
    return made


def _rank(text: str) -> int:
    """0 for an operation, 1 for a variable, 2 for a plane."""
    return 2 if text.startswith("EDGEML_PLANE") else 0 if text.startswith("EDGEML_") else 1


def _text(plane: int | str | None) -> str:
    """A plane or a variable in C."""
    assert plane is not None
    return plane if isinstance(plane, str) else f"EDGEML_PLANE({plane // 256}, {plane % 256 - 128})"
