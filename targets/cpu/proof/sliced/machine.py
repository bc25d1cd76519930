"""The machine that follows single bits: memory of such words, and C functions of three planes by their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..ir_module import Module
from ..ir_types import Integer, Type, Vector
from ..machine import Machine
from ..memory import Byte, Memory
from ..numbers import Stopped, Wide
from ..vectors import Vec, lanes_of
from .bits import Bits, Linear
from .gates import TRUE, masks_of, of_masks
from .numbers import BitNumbers

__all__ = ["BitMachine"]

_TERNARY = "edgeml_ternary_"
_MOST_PLACES = 6


class BitMemory(Memory):
    """Memory whose bytes are parts of words of up to 64 bits."""

    def load(self, type_: Type, address: Any, alignment: int) -> Any:
        """The value of a type at an address; of an array's constants at an address that depends on a few bits, of each
        of its values."""
        if address is None or isinstance(address, int):
            return super().load(type_, address, alignment)
        if not isinstance(type_, Integer) or not isinstance(address, Linear) or len(address.terms) > _MOST_PLACES:
            raise Stopped(f"{self.numbers.where} reads at an address that depends on inputs in an unknown way")
        numbers = self.numbers
        assert isinstance(numbers, BitNumbers)
        terms, rows = list(address.terms.items()), []
        for x in range(1 << len(terms)):
            at = address.constant + sum(factor for k, (_, factor) in enumerate(terms) if x >> k & 1)
            value = super().load(type_, at & (1 << 64) - 1, alignment)
            rows.append(numbers.bits_of(value, 8 * type_.bytes))
        return numbers.number(numbers.store.chosen_by([bit for bit, _ in terms], rows))

    def _value(self, type_: Type, cells: list[Byte]) -> Any:
        first = cells[0]
        whole = not isinstance(type_, Vector) and len(cells) > 4 and isinstance(first, tuple)
        if whole and all(each == (first[0], k) for k, each in enumerate(cells)):  # type: ignore[index]
            return first[0]  # type: ignore[index]
        return super()._value(type_, cells)


class BitMachine(Machine):
    """Runs functions of a module on integers of which each bit is known."""

    _memory_kind: ClassVar[type[Memory]] = BitMemory

    def __init__(self, module: Module, numbers: BitNumbers) -> None:
        super().__init__(module, numbers)
        self.bits = numbers
        self._tables: dict[str, int | None] = {}

    def constant(self, value: Any, what: str) -> int:
        """A value that must not depend on inputs."""
        if isinstance(value, Bits | Linear | Vec):
            raise Stopped(f"{self.numbers.where}: {what} depends on inputs")
        return super().constant(value, what)

    def call(self, name: str, arguments: Sequence[Any]) -> Any:
        """What a function gives. Those of three planes are followed once, for bits of which nothing is known."""
        if not name.startswith(_TERNARY) or name in self.calls or len(arguments) != 3:
            return super().call(name, arguments)
        lanes = [self._words(each) for each in arguments]
        if any(each is None for each in lanes):
            return super().call(name, arguments)
        if name not in self._tables:
            self._tables[name] = self._table(name, arguments[0])
        table = self._tables[name]
        if table is None:
            return super().call(name, arguments)
        words = [self.bits.function_of_three(table, *row) for row in zip(*lanes, strict=True)]
        return Vec(32, words) if isinstance(arguments[0], Vec) else self.bits.joined(*words)

    def _table(self, name: str, like: Any) -> int | None:
        """The function that a C function is of each bit of its three words; None if it is none."""
        gates = self.bits.gates
        opaque = [gates.opaque() for _ in range(3)]
        count = len(self._words(like) or ())
        samples = [tuple((1 + 32 * lane + k) << 32 for k in range(32)) for lane in range(count)]
        words: list[list[Any]] = [[Bits.alike_of(literal, each) for each in samples] for literal in opaque]
        given = [Vec(32, each) if isinstance(like, Vec) else self.bits.joined(*each) for each in words]
        found = self._words(super().call(name, given))
        tables = set()
        for word, each in zip(found or [None], samples, strict=False):
            alike = word.alike if isinstance(word, Bits) else None
            if isinstance(word, int) and word in (0, 0xFFFF_FFFF):
                tables.add(0xFF * (word & 1))
            elif alike is None or alike[1] != each:
                return None
            else:
                tables.add(self._cone(alike[0], opaque))
        return tables.pop() if len(tables) == 1 else None

    def _cone(self, literal: int, opaque: list[int]) -> int:
        """The table of a literal by the last to the first of three others, of which it is made."""
        known = dict(zip((each >> 1 for each in reversed(opaque)), masks_of(3), strict=True))

        def column(gate: int) -> int:
            if gate not in known:
                made = self.bits.gates.gates[gate]
                known[gate] = of_masks(made.table, [column(each) for each in made.inputs], 0xFF)
            return known[gate]

        return column(literal >> 1) ^ (0xFF if literal & TRUE else 0)

    def _words(self, value: Any) -> list[Any] | None:
        """The words of 32 bits of a plane's part; None of another value."""
        if isinstance(value, Vec):
            words = lanes_of(self.numbers, value, 32) if value.bits > 1 else [None]
            return None if None in words else words
        if isinstance(value, Wide):
            return [value.low, value.high]
        return [value & 0xFFFF_FFFF, value >> 32] if isinstance(value, int) else None
