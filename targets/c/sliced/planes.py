"""A chain of Boolean functions as planes: which there are, and the lines of C that make one of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgeml.network import Logic

from .ternary import operations_of

__all__ = ["ROWS", "Bit", "Planes", "needed_inputs"]

ROWS = 65
"""Planes from those of 64 rows to those of the next 64: the C says why."""


@dataclass(frozen=True)
class Bit:
    """A plane, or its complement; without a plane 0, or 1 where it is inverted."""

    plane: int | None
    inverted: bool = False

    def __invert__(self) -> Bit:
        return Bit(self.plane, not self.inverted)


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
    """

    count: int
    lines: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)
    _known: dict[tuple[tuple[int, ...], int], Bit] = field(default_factory=dict)
    _temporaries: int = 0

    def operation(self, code: int, *values: str | Bit) -> str:
        """An operation on three words, each a variable or a plane."""
        texts = []
        for place, value in enumerate(values):
            if isinstance(value, Bit):
                if value.inverted:
                    mask, shift = (0xF0, 0xCC, 0xAA)[place], 4 >> place
                    code = (code & mask) >> shift | (code & ~mask & 0xFF) << shift
                value = _plane(value.plane)
            texts.append(value)
        self.codes.add(code)
        return f"EDGEML_F({code:02x}, {', '.join(texts)})"

    def store(self, text: str, at: int | None = None) -> int:
        """The plane of a value: a new one, or one that was set apart."""
        if at is None:
            at = self.count
            self.count += 1
        self.lines.append(f"{_plane(at)} = {text};")
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

    def function(self, table: int, bits: Sequence[Bit]) -> Bit:
        """The bit that is a function of others: bit x of `table`, x their number."""
        left = sorted({bit.plane for bit in bits if bit.plane is not None})
        entries = 0
        for x in range(1 << len(left)):
            values = (bit.inverted ^ (bit.plane is not None and x >> left.index(bit.plane) & 1) for bit in bits)
            entries |= (table >> sum(value << place for place, value in enumerate(values)) & 1) << x
        inverted = bool(entries & 1)  # what is 1 of no input is the complement of another
        entries ^= (1 << (1 << len(left))) - 1 if inverted else 0
        key = (tuple(left), entries)
        if key not in self._known:
            made = operations_of(entries, len(left))
            self._known[key] = Bit(None) if made.result is None else self._computed(made.steps, made.result, left)
        return ~self._known[key] if inverted else self._known[key]

    def _computed(self, steps: Sequence[tuple[int, int, int, int]], result: int, left: Sequence[int]) -> Bit:
        inputs = len(left)
        inverted, result = (True, ~result) if result < 0 else (False, result)
        if result < inputs:
            return Bit(left[result], inverted)
        uses = [0] * (inputs + len(steps))
        for _, *references in steps:
            for reference in set(references):
                uses[reference] += 1
        texts = [_plane(plane) for plane in left]
        for number, (code, a, b, c) in enumerate(steps):
            self.codes.add(code)
            text = f"EDGEML_F({code:02x}, {texts[a]}, {texts[b]}, {texts[c]})"
            repeated = uses[inputs + number] > 1 or any(references.count(inputs + number) > 1 for references in steps)
            texts.append(self.temporary(text) if repeated else text)
        plane = self.store(texts[result])
        self.end()
        return Bit(plane, inverted)


def _plane(number: int | None) -> str:
    """A plane in C."""
    assert number is not None
    return f"EDGEML_PLANE({number // 256}, {number % 256 - 128})"
