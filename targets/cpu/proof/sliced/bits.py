"""Words of which each bit is known as a function of one sample's inputs, and sums of such bits.

A bit is a number: sample · 2^32 + literal, a constant 0 or 1 itself. The exclusive or of bits of two samples, as it
comes and goes where rows are turned to columns, is a negative number. What else mixes samples is a bit of which nothing
is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .gates import FALSE, MOST_INPUTS, TRUE, Gates

__all__ = ["LITERAL", "BitStore", "Bits", "Linear", "Word"]

_SHIFT = 32
LITERAL = (1 << _SHIFT) - 1
"""The part of a bit's number that is its literal."""
_NOBODY = 1 << 24
"""Bits of which nothing is known are of samples from here on."""
_TABLES = {"and": 0b1000, "or": 0b1110, "xor": 0b0110}


class Bits:
    """Bits of a word, the lowest first; what is above them is not known."""

    __slots__ = ("_alike", "_ids", "_looked", "width")

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids: tuple[int, ...] | None = tuple(ids)
        self.width = len(self._ids)
        self._alike: tuple[int, tuple[int, ...]] | None = None
        self._looked = False

    @classmethod
    def alike_of(cls, literal: int, samples: tuple[int, ...]) -> Bits:
        """The same function of each of several samples; samples : their numbers · 2^32."""
        made = cls(())
        made._ids, made.width, made._alike, made._looked = None, len(samples), (literal, samples), True
        return made

    @property
    def ids(self) -> tuple[int, ...]:
        """The numbers of the bits."""
        if self._ids is None:
            assert self._alike is not None
            literal, samples = self._alike
            self._ids = tuple(sample | literal for sample in samples)
        return self._ids

    @property
    def alike(self) -> tuple[int, tuple[int, ...]] | None:
        """The literal and the samples where all bits are the same function; else None."""
        if not self._looked:
            self._looked = True
            ids = self.ids
            literal = ids[0] & LITERAL
            if literal > TRUE and all(each > LITERAL and each & LITERAL == literal for each in ids):
                self._alike = (literal, tuple(each - literal for each in ids))
        return self._alike


class Linear:
    """constant + Σ factor · bit, an exact integer, modulo 2^bits what it stands for."""

    __slots__ = ("bits", "constant", "terms")

    def __init__(self, constant: int, terms: Mapping[int, int], bits: int) -> None:
        self.constant, self.bits = constant, bits
        self.terms = {bit: factor for bit, factor in terms.items() if factor}

    @property
    def ends(self) -> tuple[int, int]:
        """The least and the largest integer that it can be, whatever its bits are."""
        factors = self.terms.values()
        return self.constant + sum(min(f, 0) for f in factors), self.constant + sum(max(f, 0) for f in factors)


Word = int | Bits | Linear


class BitStore:
    """Makes bits of others."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        self._opaque = gates.opaque()
        self._unknown = _NOBODY
        self._mixed: list[tuple[int, int]] = [(0, 0)]
        self._number_of: dict[tuple[int, int], int] = {}

    def unknown(self) -> int:
        """A bit of which nothing is known."""
        self._unknown += 1
        return self._unknown << _SHIFT | self._opaque

    def inverted(self, bit: int) -> int:
        """The complement of a bit."""
        if bit >= 0:
            return bit ^ 1
        one, other = self._mixed[-bit]
        return self._of_two(one ^ 1, other)

    def pair(self, name: str, a: int, b: int) -> int:
        """and, or, xor of two bits."""
        if a <= TRUE and a >= FALSE:
            a, b = b, a
        if b == FALSE:
            return FALSE if name == "and" else a
        if b == TRUE:
            return a if name == "and" else TRUE if name == "or" else self.inverted(a)
        if a == b:
            return FALSE if name == "xor" else a
        if a < 0 or b < 0 or a >> _SHIFT != b >> _SHIFT:
            return self._exclusive(a, b) if name == "xor" else self.unknown()
        return self._of_sample(a, self.gates.function(_TABLES[name], (a & LITERAL, b & LITERAL)))

    @staticmethod
    def _of_sample(bit: int, literal: int) -> int:
        return literal if literal <= TRUE else bit & ~LITERAL | literal

    def _of_two(self, one: int, other: int) -> int:
        if one & ~LITERAL > other & ~LITERAL:
            one, other = other, one
        one, other = (one ^ 1, other ^ 1) if one & 1 else (one, other)  # both complements are the same
        key = (one, other)
        if key not in self._number_of:
            self._mixed.append(key)
            self._number_of[key] = len(self._mixed) - 1
        return -self._number_of[key]

    def _exclusive(self, a: int, b: int) -> int:
        """The exclusive or of bits of different samples: what stands in both goes."""
        a, b = min(a, b), max(a, b)
        if a >= 0:
            return self._of_two(a, b)
        if b >= 0:  # as it mostly is
            one, other = self._mixed[-a]
            if one >> 1 == b >> 1 or other >> 1 == b >> 1:
                return one ^ other ^ b
        left: list[int] = []
        inverted = 0
        for each in (*self._parts(a), *self._parts(b)):
            partner = next((other for other in left if other >> 1 == each >> 1), None)
            if partner is None:
                left.append(each)
            else:
                left.remove(partner)
                inverted ^= partner ^ each
        if not left:
            return inverted
        left[0] ^= inverted
        if len(left) == 1:
            return left[0]
        if len(left) > 2:
            return self.unknown()
        return self.function(_TABLES["xor"], left) if left[0] >> _SHIFT == left[1] >> _SHIFT else self._of_two(*left)

    def _parts(self, bit: int) -> tuple[int, ...]:
        return (bit,) if bit >= 0 else self._mixed[-bit]

    def function(self, table: int, bits: Sequence[int]) -> int:
        """A function of bits of one sample; of several it is not known."""
        of_sample = [bit for bit in bits if not FALSE <= bit <= TRUE]
        if not of_sample:
            return self.gates.function(table, tuple(bits))
        first = of_sample[0]
        if any(bit < 0 or bit >> _SHIFT != first >> _SHIFT for bit in of_sample):
            return self.unknown()
        return self._of_sample(first, self.gates.function(table, tuple(bit & LITERAL for bit in bits)))

    def chosen_by(self, bits: Sequence[int], rows: Sequence[Sequence[int]]) -> list[int]:
        """rows[x], x the number that some bits are, the first the lowest: bit by bit. What depends on too many bits is
        not known."""
        found = []
        for column in zip(*rows, strict=True):
            others = sorted({bit & ~1 for bit in column if not FALSE <= bit <= TRUE})
            taken, table = [*bits, *others], 0
            if len(taken) > MOST_INPUTS:
                found.append(self.unknown())
                continue
            for x in range(1 << len(taken)):
                bit = column[x & (1 << len(bits)) - 1]
                holds = bit if FALSE <= bit <= TRUE else x >> taken.index(bit & ~1, len(bits)) & 1 ^ (bit & 1)
                table |= holds << x
            found.append(self.function(table, taken))
        return found

    def sum_bits(self, total: Linear) -> list[int]:
        """The bits of a sum, added up column by column."""
        columns: list[list[int]] = [[] for _ in range(total.bits + 1)]
        for bit, factor in ((TRUE, total.constant), *total.terms.items()):
            left = factor % (1 << total.bits)
            while left:
                lowest = left & -left
                columns[lowest.bit_length() - 1].append(bit)
                left ^= lowest
        found = []
        for place in range(total.bits):
            column = columns[place]
            while len(column) > 1:
                taken = (column.pop(), column.pop(), column.pop() if column else FALSE)
                column.append(self.function(0x96, taken))
                carry = self.function(0xE8, taken)
                if carry != FALSE:
                    columns[place + 1].append(carry)
            found.append(column[0] if column else FALSE)
        return found
