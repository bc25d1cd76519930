"""Words as bits, each a polynomial with integer coefficients in bits before it: what bitwise operations give, exactly.

Of bits u, v: u and v is u · v, u xor v is u + v − 2 u · v, u or v is u + v − u · v. A bit that is a function of one
input is an atom; a bit of many others becomes one when it is taken further, so that polynomials stay small. Whether a
sum of bits is a sum of functions of single inputs is seen by putting in the place of atoms what they are, the latest
first: of carry-save adders all products cancel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .concrete import COLUMN_OPERATIONS
from .dataflow import looked_up

__all__ = ["BitWords", "Polynomial", "TooMuch", "added"]

Polynomial = dict[tuple[int, ...], int]
"""Coefficients by products of atoms, ascending; () for the constant."""
Column = npt.NDArray[Any]

_MOST_ATOMS, _MOST_ENUMERATED, _MOST_TERMS, _MOST_VALUES = 3, 8, 5_000, 1 << 12
_ALL = (1 << 32) - 1


class TooMuch(Exception):
    """A word is not followed bit by bit; says why."""


def added(total: Polynomial, other: Polynomial, factor: int = 1) -> Polynomial:
    """total + factor · other, in the place of total."""
    for product, value in other.items():
        left = total.get(product, 0) + factor * value
        if left:
            total[product] = left
        else:
            total.pop(product, None)
    return total


class BitWords:
    """The bits of a program's words.

    operations : as `Dataflow` holds them. Atoms are functions of one input (a column of 0 and 1, its first entry 0), or
    stand for a polynomial in earlier ones.
    """

    def __init__(self, operations: Sequence[tuple[Any, ...]]) -> None:
        self._operations = operations
        self._bits: dict[tuple[int, int], Polynomial] = {}
        self._columns: dict[int, tuple[int, Column] | None] = {}
        self._base: list[tuple[int, Column] | None] = []
        self._stands_for: list[Polynomial] = []
        self._known: dict[Any, int] = {}
        self._made_by: dict[int, int] = {}
        self._ones: dict[int, int] = {}
        self._apart: dict[int, bool] = {}

    # Polynomials

    def function(self, variable: int, column: Column) -> Polynomial:
        """A function of one input, integers for its values from the lowest on."""
        column = np.asarray(column, np.int64)
        found: Polynomial = {(): int(column[0])} if column[0] else {}
        rest = column - column[0]
        for value in np.unique(rest).tolist():
            if value:
                reached = (rest == value).astype(np.uint8)
                added(found, {(self._atom((variable, reached.tobytes()), (variable, reached), {}),): value})
        return found

    def _atom(self, key: Any, base: tuple[int, Column] | None, stands_for: Polynomial) -> int:
        if key not in self._known:
            self._known[key] = len(self._base)
            self._base.append(base)
            self._stands_for.append(stands_for)
        return self._known[key]

    def _named(self, bit: Polynomial, word: int) -> Polynomial:
        """A bit of a word as one atom."""
        if len(bit) <= 1 and all(len(product) <= 1 for product in bit):
            return bit
        atom = self._atom(frozenset(bit.items()), None, bit)
        self._made_by.setdefault(atom, word)
        return {(atom,): 1}

    def product(self, one: Polynomial, other: Polynomial) -> Polynomial:
        """one · other."""
        found: Polynomial = {}
        for a, x in one.items():
            for b, y in other.items():
                merged = self._merged(a, b)
                if merged is not None:
                    added(found, {merged: x * y})
        return found

    def _merged(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
        """A product of atoms; two functions of one input are one function. None for 0."""
        atoms = sorted({*a, *b})
        inputs: dict[int, int] = {}
        found = []
        for atom in atoms:
            base = self._base[atom]
            if base is None:
                found.append(atom)
                continue
            variable, column = base
            if variable in inputs:
                other = self._base[inputs[variable]]
                assert other is not None
                column = column & other[1]
                if not column.any():
                    return None
                atom = self._atom((variable, column.tobytes()), (variable, column), {})
            inputs[variable] = atom
        return tuple(sorted([*found, *inputs.values()]))

    def _few(self, one: Polynomial, other: Polynomial, words: Sequence[int]) -> tuple[Polynomial, Polynomial]:
        """The same bits of two words, of few atoms together."""
        if len(_atoms(one, other)) > _MOST_ATOMS:
            if len(_atoms(one)) < len(_atoms(other)):
                other = self._named(other, words[1])
            else:
                one = self._named(one, words[0])
        if len(_atoms(one, other)) > _MOST_ATOMS:
            one, other = self._named(one, words[0]), self._named(other, words[1])
        return one, other

    # Words

    def bit(self, word: int, place: int) -> Polynomial:
        """A bit of a word: of an operation by its number, or of a constant c, ~c."""
        if word < 0:
            return {(): 1} if ~word >> place & 1 else {}
        if (word, place) not in self._bits:
            self._bits[word, place] = self._bit(word, place)
        return self._bits[word, place]

    def _bit(self, word: int, place: int) -> Polynomial:
        alone = self.column(word)
        if alone is not None:
            return self.function(alone[0], alone[1] >> np.uint32(place) & np.uint32(1))
        name, *operands = self.operation(word)
        if name in ("and", "or", "xor"):
            one, other = (self.bit(each, place) for each in operands)
            if not one or not other:
                return {} if name == "and" else one or other
            one, other = self._few(one, other, operands)
            both = self.product(one, other)
            if name == "and":
                return both
            return added(added(dict(one), other), both, -1 if name == "or" else -2)
        if name in ("shl", "shr", "sar") and operands[1] < 0:
            moved = place - ~operands[1] if name == "shl" else place + ~operands[1]
            moved = min(moved, 31) if name == "sar" else moved
            return self.bit(operands[0], moved) if 0 <= moved < 32 else {}
        if name == "select" and operands[0] >= 0 and (chosen := self.column(operands[0])) is not None:
            first = self.function(chosen[0], chosen[1] != 0)
            one, other = (self._named(self.bit(each, place), each) for each in operands[1:])
            difference = added(dict(one), other, -1)
            return self._named(added(dict(other), self.product(first, difference)), word)
        atoms, values = self._enumerated(word)
        return self._named(self._interpolated(atoms, values >> np.uint32(place) & np.uint32(1)), word)

    def operation(self, word: int) -> tuple[Any, ...]:
        """An operation; a sum of words that have no ones at one place is `or`."""
        name, *operands = self._operations[word]
        return ("or" if name == "add" and self._are_apart(word, *operands) else name, *operands)

    def _are_apart(self, word: int, one: int, other: int) -> bool:
        """Whether two words have no ones at one place."""
        if word not in self._apart:
            both = self.ones(one) & self.ones(other)
            self._apart[word] = not both
            try:
                places = [place for place in range(32) if both >> place & 1]
                self._apart[word] = all(self._is_zero(self.bit(one, k), self.bit(other, k)) for k in places)
            except TooMuch:
                pass
        return self._apart[word]

    def _is_zero(self, one: Polynomial, other: Polynomial) -> bool:
        """Whether two bits are never 1 together."""
        if len(_atoms(one, other)) > 2 * _MOST_ATOMS:
            return False
        both = self.product(one, other)
        return not both or self.constant(both, 32) == 0

    def ones(self, word: int) -> int:
        """The bits of a word that may be 1, by the constants that it is masked with."""
        if word < 0:
            return ~word
        if word not in self._ones:
            self._ones[word] = self._may_be_one(word)
        return self._ones[word]

    def _may_be_one(self, word: int) -> int:
        name, *operands = self._operations[word]
        if name in ("and", "or", "xor", "add"):
            one, other = (self.ones(each) for each in operands)
            return one & other if name == "and" else _ALL if name == "add" and one & other else one | other
        if name in ("shl", "shr") and operands[1] < 0:
            moved, count = self.ones(operands[0]), int(~operands[1])
            return moved << count & _ALL if name == "shl" else moved >> count
        return _ALL

    def column(self, word: int) -> tuple[int, Column] | None:
        """The one input that a word is a function of, and its values; None if it is none of one."""
        if word not in self._columns:
            self._columns[word] = self._column(word)
        return self._columns[word]

    def _column(self, word: int) -> tuple[int, Column] | None:
        name, *operands = self._operations[word]
        if name == "input":
            low, high = operands
            return (word, np.arange(low, high + 1).astype(np.uint32)) if high - low < _MOST_VALUES else None
        if name == "unknown":
            return None
        taken = operands[:1] if name == "lookup" else operands
        found = [None if each < 0 else self.column(each) for each in taken]
        if any(each >= 0 and known is None for each, known in zip(taken, found, strict=True)):
            return None
        inputs = {known[0] for known in found if known is not None}
        if len(inputs) != 1:
            return None
        pairs = zip(taken, found, strict=True)
        columns = [np.array([~each], np.uint32) if known is None else known[1] for each, known in pairs]
        made = looked_up(columns[0], *operands[1:]) if name == "lookup" else COLUMN_OPERATIONS[name](*columns)
        return inputs.pop(), np.asarray(made, np.uint32)

    def integer(self, word: int) -> Polynomial:
        """A word as an integer modulo 2^32."""
        if word < 0:
            return {(): ~word}
        name, *operands = self._operations[word]
        if self.column(word) is None and name in ("add", "sub"):
            return added(dict(self.integer(operands[0])), self.integer(operands[1]), 1 if name == "add" else -1)
        if self.column(word) is None and name in ("mul", "shl") and min(operands) < 0:
            constant, other = sorted(operands) if name == "mul" else (operands[1], operands[0])
            factor = ~constant if name == "mul" else 1 << ~constant
            return added({}, self.integer(other), factor) if other >= 0 else {(): ~other * factor}
        total: Polynomial = {}
        for place in range(32):
            added(total, self.bit(word, place), 1 << place)
        return total

    def _enumerated(self, word: int) -> tuple[list[int], Column]:
        """The few atoms that a word is a function of, and what it is for each choice of them."""
        name, *operands = self._operations[word]
        if name not in ("lookup", "add", "sub", "mul"):
            raise TooMuch(f"{name} of bits")
        whole = self.integer(operands[0] if name == "lookup" else word)
        atoms = _atoms(whole)
        if len(atoms) > _MOST_ENUMERATED:
            raise TooMuch(f"{name} of {len(atoms)} bits")
        row = np.arange(1 << len(atoms))
        values = np.zeros(len(row), np.int64)
        for product, value in whole.items():
            there = np.ones(len(row), np.int64)
            for atom in product:
                there &= row >> atoms.index(atom)
            values += value % (1 << 32) * (there & 1)
        found = (values & _ALL).astype(np.uint32)
        return atoms, looked_up(found, *operands[1:]) if name == "lookup" else found

    def _interpolated(self, atoms: Sequence[int], values: Column) -> Polynomial:
        """The polynomial that has these values, one for each choice of atoms."""
        parts = values.astype(np.int64)
        row = np.arange(len(parts))
        for k in range(len(atoms)):
            upper = row[(row >> k & 1) == 1]
            parts[upper] -= parts[upper ^ (1 << k)]
        found: Polynomial = {}
        for number in np.flatnonzero(parts).tolist():
            product: tuple[int, ...] | None = ()
            for k, atom in enumerate(atoms):
                if number >> k & 1 and product is not None:
                    product = self._merged(product, (atom,))
            if product is not None:
                added(found, {product: int(parts[number])})
        return found

    def constant(self, whole: Polynomial, bits: int) -> int:
        """The constant that a polynomial is modulo 2^bits, for all inputs. TooMuch where it is not seen to be one."""
        size = 1 << bits
        whole = {product: value for product, value in whole.items() if value % size}
        while named := self._made_by.keys() & {atom for product in whole for atom in product}:
            last = max(named, key=lambda atom: (self._made_by[atom], atom))
            for product in [each for each in whole if last in each]:
                value = whole.pop(product)
                rest = tuple(each for each in product if each != last)
                added(whole, self.product({rest: value}, self._stands_for[last]))
            whole = {product: value for product, value in whole.items() if value % size}
            if len(whole) > _MOST_TERMS:
                raise TooMuch("products of bits do not cancel")
        columns: dict[int, Column] = {}
        for product, value in whole.items():
            if len(product) > 1:
                raise TooMuch("a product of several inputs is left")
            for atom in product[:1] if len(product) == 1 else ():
                base = self._base[atom]
                assert base is not None
                columns[base[0]] = columns.get(base[0], 0) + value * base[1].astype(np.int64)
        if any(((column - column[0]) % size).any() for column in columns.values()):
            raise TooMuch("it is another sum of the inputs")
        return (whole.get((), 0) + sum(int(column[0]) for column in columns.values())) % size


def _atoms(*bits: Iterable[tuple[int, ...]]) -> list[int]:
    return sorted({atom for bit in bits for product in bit for atom in product})
