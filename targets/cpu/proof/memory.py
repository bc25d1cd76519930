"""The memory of a program that is followed for all inputs: objects of bytes, each at addresses of its own.

An address is the number of its object, times 2^32, and a place in it: what is computed with addresses of one object
stays in it or is found to leave it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from edgeml.proof.words.dataflow import Node

from .ir_types import Integer, Pointer, Type, Vector
from .numbers import NotFollowed, Numbers, Stopped, Wide
from .vectors import Vec, gathered, lanes_of

__all__ = ["FIRST", "Byte", "Memory", "Object"]

FIRST = 1 << 28
"""The lower half of the address of an object's first byte: no place before or behind it wraps."""
Byte = int | tuple[Node, int] | None
"""A constant, byte k of a word, or what nobody wrote."""
_PLAIN = (Integer, Pointer)


class Object:
    """So many bytes. writable : whether all may write it. alignment : of its first byte."""

    __slots__ = ("alignment", "cells", "name", "number", "readable", "writable")

    def __init__(self, number: int, name: str, cells: list[Byte], alignment: int, *, writable: bool) -> None:
        self.number, self.name, self.cells, self.alignment = number, name, cells, alignment
        self.writable, self.readable = writable, True

    @property
    def address(self) -> int:
        """Of the first byte."""
        return self.number << 32 | FIRST


class Memory:
    """Objects by number; what is written in a branch can be taken back."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.objects: dict[int, Object] = {}
        self.accesses = 0
        self._last = 0
        self._journals: list[dict[tuple[int, int], Byte]] = []

    def new(self, name: str, cells: Sequence[Byte], alignment: int = 1, *, writable: bool = True) -> Object:
        """A new object."""
        self._last += 1
        found = Object(self._last, name, list(cells), alignment, writable=writable)
        self.objects[self._last] = found
        return found

    def end(self, found: Object) -> None:
        """An object whose function has returned."""
        del self.objects[found.number]

    def place(self, address: int, size: int, *, write: bool, alignment: int = 1) -> tuple[Object, int]:
        """The object that an access lies in, and where. Raises Stopped where it lies in none that it may touch."""
        self.accesses += 1
        found, at = self.objects.get(address >> 32), (address & 0xFFFF_FFFF) - FIRST
        verb, where = "writes" if write else "reads", self.numbers.where
        if found is None:
            raise Stopped(f"{where} {verb} where no object is")
        if at < 0 or at + size > len(found.cells):
            raise Stopped(f"{where} {verb} {size} bytes at {at} of {found.name}, which has {len(found.cells)}")
        if not (found.writable if write else found.readable):
            raise Stopped(f"{where} {verb} {found.name}, which it must not")
        if at % alignment or found.alignment % alignment:
            raise Stopped(f"{where} {verb} at {at} of {found.name} as if it were aligned to {alignment}")
        return found, at

    # Branches

    def begin(self) -> None:
        """What is written from now on can be taken back."""
        self._journals.append({})

    def take_back(self) -> dict[tuple[int, int], Byte]:
        """Undo what was written since the last `begin`; what it was, by object and place."""
        before = self._journals.pop()
        changed = {}
        for (number, at), old in before.items():
            found = self.objects.get(number)
            if found is not None:
                changed[number, at] = found.cells[at]
                found.cells[at] = old
        return changed

    def write(self, found: Object, at: int, cells: Sequence[Byte]) -> None:
        """Put bytes into an object."""
        if self._journals:
            for journal in self._journals:
                for place in range(at, at + len(cells)):
                    journal.setdefault((found.number, place), found.cells[place])
        found.cells[at : at + len(cells)] = cells

    # Values

    def load(self, type_: Type, address: Any, alignment: int) -> Any:
        """The value of a type at an address."""
        if address is None:
            raise Stopped(f"{self.numbers.where} reads at an address that is not defined")
        if isinstance(address, Wide):
            return self._looked_up(type_, address)
        found, at = self.place(address, type_.bytes, write=False, alignment=alignment)
        return self._value(type_, found.cells[at : at + type_.bytes])

    def _value(self, type_: Type, cells: list[Byte]) -> Any:
        if isinstance(type_, Vector):
            return self._vector(type_, cells)
        if not isinstance(type_, _PLAIN):
            raise NotFollowed(f"{self.numbers.where} reads floating point or a structure")
        if type_.bytes == 8:
            low, high = self._word(cells[:4]), self._word(cells[4:])
            return None if low is None or high is None else self.numbers.joined(low, high)
        return self._word(cells)

    def _word(self, cells: Sequence[Byte]) -> Any:
        """Up to four bytes as one word, of which those count."""
        first = cells[0]
        if isinstance(first, int) and all(isinstance(cell, int) for cell in cells):
            return int.from_bytes(bytes(cells), "little")  # type: ignore[arg-type]
        if isinstance(first, tuple) and first[1] == 0:
            node = first[0]
            if all(isinstance(cell, tuple) and cell[0] is node and cell[1] == k for k, cell in enumerate(cells)):
                return node
        return gathered(self.numbers, [self._byte(cell) for cell in cells], 8)

    def _byte(self, cell: Byte) -> Any:
        if not isinstance(cell, tuple) or cell[1] == 0:
            return cell[0] if isinstance(cell, tuple) else cell
        return self.numbers.make("shr", cell[0], 8 * cell[1])

    def _vector(self, type_: Vector, cells: list[Byte]) -> Vec:
        if type_.bits == 1:
            raise Stopped(f"{self.numbers.where} reads bits from memory")
        size = self._grain(cells)
        return Vec(8 * size, [self._word(cells[at : at + size]) for at in range(0, len(cells), size)])

    @staticmethod
    def _grain(cells: list[Byte]) -> int:
        """The largest lanes, in bytes, that are whole words or constants."""
        if not any(isinstance(cell, tuple) for cell in cells):
            return 1
        for size in (4, 2):
            if len(cells) % size:
                continue
            for at in range(0, len(cells), size):
                first = cells[at]
                if isinstance(first, tuple):
                    if first[1] or any(cell != (first[0], k) for k, cell in enumerate(cells[at : at + size])):
                        break
                elif any(isinstance(cell, tuple) for cell in cells[at : at + size]):
                    break
            else:
                return size
        return 1

    def store(self, type_: Type, value: Any, address: Any, alignment: int) -> None:
        """Put a value at an address."""
        if not isinstance(address, int):
            raise Stopped(f"{self.numbers.where} writes to an address that depends on the inputs")
        found, at = self.place(address, type_.bytes, write=True, alignment=alignment)
        self.write(found, at, self._cells(type_, value))

    def _cells(self, type_: Type, value: Any) -> list[Byte]:
        if isinstance(type_, Vector):
            if type_.bits == 1:
                raise Stopped(f"{self.numbers.where} writes bits to memory")
            size = value.bits // 8
            return [cell for lane in value.lanes for cell in _bytes(lane, size)]
        if not isinstance(type_, _PLAIN):
            raise NotFollowed(f"{self.numbers.where} writes floating point or a structure")
        if isinstance(value, Wide):
            return _bytes(value.low, 4) + _bytes(value.high, 4)
        return _bytes(value, type_.bytes)

    # Addresses that depend on inputs

    def _looked_up(self, type_: Type, address: Wide) -> Any:
        if not isinstance(address.high, int) or not isinstance(address.low, Node):
            raise Stopped(f"{self.numbers.where} reads at an address that depends on inputs in an unknown way")
        if not isinstance(type_, Vector):
            size = type_.bytes
            if size <= 4:
                return self._entry(address, 0, size)
            return self.numbers.joined(self._entry(address, 0, 4), self._entry(address, 4, 4))
        return Vec(8, [self._entry(address, place, 1) for place in range(type_.bytes)])

    def _entry(self, address: Wide, offset: int, size: int) -> Any:
        """A constant or a word at an address, and so many bytes behind it."""
        places = self._places(address)
        step = 1
        if len(places) > 1:
            step = min(b - a for a, b in pairwise(places))
            if any((place - places[0]) % step for place in places):
                step = 1
        known = set(places)
        assert isinstance(address.high, int)
        high = address.high << 32
        words = {}
        for place in places:
            found, at = self.place(high + place + offset, size, write=False)
            words[place] = self._word(found.cells[at : at + size])
        if all(isinstance(word, int) for word in words.values()):
            count = (places[-1] - places[0]) // step + 1
            if count > 1 << 16:
                raise Stopped(f"{self.numbers.where} reads from a table of more than 65536 entries")
            entries = [words[p] if (p := places[0] + k * step) in known else 0 for k in range(count)]
            assert isinstance(address.low, Node)
            return self.numbers.settled(self.numbers.flow.lookup(address.low, places[0], step, entries))
        if len(places) > 64 or any(word is None for word in words.values()):
            raise Stopped(f"{self.numbers.where} reads what depends on inputs at an address that does, too")
        total = words[places[-1]]
        for place in places[:-1]:
            total = self.numbers.choose(self.numbers.make("eq", address.low, place), words[place], total)
        return total

    def _places(self, address: Wide) -> list[int]:
        """The lower halves of the addresses that can come, on the path that is followed."""
        flow = self.numbers.flow
        assert isinstance(address.low, Node)
        base, column = flow.column(address.low)
        if column is None and (few := flow.choices(address.low)):
            return sorted(few)
        if column is None:
            raise Stopped(f"{self.numbers.where} reads at an address that depends on inputs in an unknown way")
        path = self.numbers.path
        if isinstance(path, Node):
            live = None if base is None else flow.space.over(path.value, base)
            if live is None:
                raise Stopped(f"{self.numbers.where} reads at an address that depends on inputs, in a branch")
            column = column[live != 0]
        return sorted({int(place) for place in column})

    def word_lanes(self, vector: Vec, bits: int) -> list[Any]:
        """Lanes of another size."""
        return lanes_of(self.numbers, vector, bits)


def _bytes(value: Any, size: int) -> list[Byte]:
    if value is None:
        return [None] * size
    if isinstance(value, int):
        return list((value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))
    return [(value, place) for place in range(size)]
