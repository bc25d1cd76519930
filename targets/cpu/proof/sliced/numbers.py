"""Integers of LLVM's intermediate form bit by bit: as `Numbers` on words, but of each bit the function that it is.

Sums, differences and products stay sums of bits as long as nothing asks for their bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgeml.proof.words.concrete import OPERATIONS

from ..numbers import NotFollowed, Numbers, Stopped, Wide
from ..vectors import Vec
from .bits import LITERAL, Bits, BitStore, Linear, Word
from .gates import FALSE, TRUE, Gates

__all__ = ["BitNumbers"]

_WORD, _ALL = 32, (1 << 32) - 1
_MOST_COUNTS = 6
_CHOICE = 0b11001010
"""a where the last of three bits is 1, else b; the first two are b and a."""
_BELOW = 0b11010100
"""Whether a < b, of a, b and whether it is so of the bits below."""


def _without(table: int, place: int, bit: int) -> int:
    """What a function of three is of the other two, where one of them is a constant."""
    return sum((table >> (x & (1 << place) - 1 | bit << place | x >> place << place + 1) & 1) << x for x in range(4))


class _Flow:
    """What instructions ask of a flow."""

    def __init__(self, store: BitStore) -> None:
        self._store = store

    def unknown(self, why: str) -> Bits:
        """A word of which nothing is known."""
        return Bits([self._store.unknown() for _ in range(_WORD)])


class BitNumbers(Numbers):
    """Operations on integers of which each bit is a function of one sample's inputs."""

    def __init__(self) -> None:
        self.gates = Gates()
        self.store = BitStore(self.gates)
        super().__init__(_Flow(self.store))  # type: ignore[arg-type]
        self._pairs: dict[tuple[str, int, int], int] = {}
        self._comparisons: dict[tuple[Any, ...], int] = {}

    # Words

    def bits_of(self, word: Any, width: int) -> Sequence[int]:
        """The lowest bits of a word."""
        if isinstance(word, int):
            return [word >> k & 1 for k in range(width)]
        if isinstance(word, Linear):
            if width > word.bits:
                raise Stopped(f"{self.where} takes a sum of {word.bits} bits as {width}")
            return self.store.sum_bits(Linear(word.constant, word.terms, width))
        if isinstance(word, Wide):
            return [*self.bits_of(word.low, _WORD), *self.bits_of(word.high, _WORD)][:width]
        if isinstance(word, Vec):
            return [self.bits_of(lane, word.bits)[k] for lane in word.lanes for k in range(word.bits)][:width]
        if word.width < width:
            raise Stopped(f"{self.where} takes bits that nobody wrote")
        return word.ids if word.width == width else word.ids[:width]  # type: ignore[no-any-return]

    def linear(self, word: Any, bits: int) -> Linear:
        """A word as a sum, modulo 2^bits what it stands for."""
        if isinstance(word, Linear):
            return word
        if isinstance(word, int):
            word &= (1 << bits) - 1
            return Linear(word - (1 << bits) if word >> (bits - 1) else word, {}, bits)
        ids = self.bits_of(word, bits)
        constant, terms = 0, dict[int, int]()
        for k, bit in enumerate(ids):  # in two's complement, so that the ends of what was extended by its sign are near
            weight = 1 << k if k < bits - 1 else -1 << k
            if FALSE <= bit <= TRUE:
                constant += weight * bit
            else:
                terms[bit] = terms.get(bit, 0) + weight
        return Linear(constant, terms, bits)

    @staticmethod
    def _word(ids: Sequence[int]) -> Word:
        if FALSE <= ids[0] <= TRUE and all(FALSE <= bit <= TRUE for bit in ids):
            return sum(bit << k for k, bit in enumerate(ids))
        return Bits(ids)

    def number(self, ids: Sequence[int]) -> Any:
        """Bits of an integer of up to 64 bits."""
        words: list[Any] = [self._word(ids[at : at + _WORD]) for at in range(0, len(ids), _WORD)]
        return words[0] if len(words) == 1 else self.joined(*words)

    def pair(self, number: Any) -> tuple[Any, Any]:  # type: ignore[override]
        """The two words of 64 bits."""
        if isinstance(number, Linear | Vec):
            ids = self.bits_of(number, 2 * _WORD)
            return self._word(ids[:_WORD]), self._word(ids[_WORD:])
        return super().pair(number)

    def make(self, name: str, *operands: Any) -> Any:
        """An operation on words; a constant where it always gives one."""
        if all(isinstance(each, int) for each in operands):
            return self._constant_word(name, *operands)
        if name in ("and", "or", "xor"):
            return self._bitwise(name, *operands)
        if name in ("shl", "shr", "sar"):
            return self._shifted(name, *operands)
        if name in ("eq", "ult", "slt"):
            return self._compared(name, *operands)
        if name == "select":
            return self._chosen(*operands)
        if name in ("add", "sub", "mul"):
            return self._sum(name, _WORD, *operands)
        raise NotFollowed(f"{self.where} has {name} of single bits")

    @staticmethod
    def _constant_word(name: str, *operands: int) -> int:
        return int(OPERATIONS[name](*operands))

    def _bitwise(self, name: str, a: Any, b: Any) -> Any:
        if isinstance(a, int):
            a, b = b, a
        if isinstance(a, Bits):
            if isinstance(b, int) and a.alike is not None:
                ones = (1 << a.width) - 1
                if b & ones in (0, ones):
                    return self._with_constant(name, a, bool(b & ones), ones)
            elif isinstance(b, Bits) and a.alike is not None and b.alike is not None and a.width == b.width:
                (one, samples), (other, too) = a.alike, b.alike
                if samples is too or samples == too:
                    table = {"and": 0b1000, "or": 0b1110, "xor": 0b0110}[name]
                    return self._alike(self.gates.function(table, (one, other)), samples)
        width = min(each.width if isinstance(each, Bits) else _WORD for each in (a, b) if not isinstance(each, int))
        pair, known = self.store.pair, self._pairs
        found = []
        for x, y in zip(self.bits_of(a, width), self.bits_of(b, width), strict=True):
            if x <= TRUE or y <= TRUE or x >> 32 != y >> 32:
                found.append(pair(name, x, y))
                continue
            key = (name, x & LITERAL, y & LITERAL)
            literal = known.get(key)
            if literal is None:
                literal = known[key] = pair(name, x, y) & LITERAL
            found.append(literal if literal <= TRUE else x & ~LITERAL | literal)
        return self._word(found)

    def _with_constant(self, name: str, a: Bits, ones: bool, every: int) -> Any:
        if name == "xor":
            assert a.alike is not None
            return Bits.alike_of(a.alike[0] ^ 1, a.alike[1]) if ones else a
        if name == "and":
            return a if ones else 0
        return every if ones else a

    def _alike(self, literal: int, samples: tuple[int, ...]) -> Any:
        if literal <= TRUE:
            return (1 << len(samples)) - 1 if literal else 0
        return Bits.alike_of(literal, samples)

    def function_of_three(self, table: int, a: Any, b: Any, c: Any) -> Any:
        """Of each bit of three words a function: bit 4 a + 2 b + c of a table."""
        words = (c, b, a)
        found = [each.alike for each in words if isinstance(each, Bits)]
        width = min(each.width if isinstance(each, Bits) else _WORD for each in words)
        if None not in found and len({each[1] for each in found if each}) == 1:
            literals = []
            for each in words:
                if isinstance(each, Bits):
                    literals.append(each.alike[0])  # type: ignore[index]
                elif each & (1 << width) - 1 in (0, (1 << width) - 1):
                    literals.append(each & 1)
            if len(literals) == 3:
                return self._alike(self.gates.function(table, tuple(literals)), found[0][1])  # type: ignore[index]
        place = next((k for k, each in enumerate(words) if isinstance(each, int)), None)
        if place is None:
            columns = zip(*(self.bits_of(each, width) for each in words), strict=True)
            return self._word([self.store.function(table, row) for row in columns])
        one, other = (self.bits_of(words[k], width) for k in range(3) if k != place)
        of_two = [_without(table, place, bit) for bit in (0, 1)]
        constant = words[place]
        return self._word([self._of_two(of_two[constant >> k & 1], one[k], other[k]) for k in range(width)])

    def _of_two(self, table: int, a: int, b: int) -> int:
        """A function of two bits, which may be of two samples where it is one of them, or their exclusive or."""
        if table == 0b1010:
            return a
        if table == 0b1100:
            return b
        if table in (0b0110, 0b1001):
            found = self.store.pair("xor", a, b)
            return found if table == 0b0110 else self.store.inverted(found)
        if table in (0b0101, 0b0011):
            return self.store.inverted(a if table == 0b0101 else b)
        return self.store.function(table, (a, b))

    def of_mask(self, mask: Vec) -> Any:
        """A vector of bits as an integer."""
        return self.number([lane & 1 if isinstance(lane, int) else self.bits_of(lane, 1)[0] for lane in mask.lanes])

    def _shifted(self, name: str, word: Any, count: Any) -> Any:
        if not isinstance(count, int):
            raise Stopped(f"{self.where} shifts by what depends on inputs")
        if isinstance(word, Linear):
            word = self._word(self.bits_of(word, _WORD))
        if isinstance(word, int):
            return self._constant_word(name, word, count)
        ids = word.ids
        if name == "shl":
            return self._word([*[FALSE] * count, *ids][:_WORD])
        fill = [FALSE if name == "shr" else ids[-1]] * count if word.width == _WORD else []
        return self._word([*ids[count:], *fill])

    def zeros(self, word: Any, bits: int) -> Any:
        """The lowest bits of a word, zeros above."""
        if isinstance(word, int):
            return word & (1 << bits) - 1
        if isinstance(word, Linear) and word.ends[0] >= 0 and word.ends[1] < 1 << bits:
            return word
        if isinstance(word, Bits) and word.width == bits == _WORD:
            return word
        return self._word([*self.bits_of(word, bits), *[FALSE] * (_WORD - bits)])

    def signs(self, word: Any, bits: int) -> Any:
        """The lowest bits of a word, the highest of them above."""
        if isinstance(word, int):
            return super().signs(word, bits)
        if isinstance(word, Linear) and -1 << bits - 1 <= word.ends[0] and word.ends[1] < 1 << bits - 1:
            return word
        ids = self.bits_of(word, bits)
        return self._word([*ids, *[ids[-1]] * (_WORD - bits)])

    def settled(self, operand: Any) -> Any:
        """As it is: what is constant is an integer already."""
        return operand

    def add(self, a: Any, b: Any) -> Any:
        """a + b modulo 2^32."""
        return self._sum("add", _WORD, a, b)

    def mul(self, a: Any, b: Any) -> Any:
        """a · b modulo 2^32."""
        return self._sum("mul", _WORD, a, b)

    def _sum(self, name: str, bits: int, a: Any, b: Any) -> Any:
        if isinstance(a, int) and isinstance(b, int):
            return self._constant_word(name, a, b) if bits <= _WORD else self._constant(name, bits, a, b, frozenset())
        if name == "add" and (a == 0 or b == 0):
            return b if a == 0 else a
        if name == "add" and bits <= _WORD and (apart := self._side_by_side(a, b)) is not None:
            return apart
        width = min([bits, *(each.width for each in (a, b) if isinstance(each, Bits))])
        one, other = self.linear(a, width), self.linear(b, width)
        if name == "mul":
            if one.terms and other.terms:
                raise NotFollowed(f"{self.where} multiplies what depends on inputs by what does, too")
            factor, of = (other.constant, one) if one.terms else (one.constant, other)
            return self._total(of.constant * factor, {bit: factor * f for bit, f in of.terms.items()}, width)
        sign = -1 if name == "sub" else 1
        terms = dict(one.terms)
        for bit, factor in other.terms.items():
            terms[bit] = terms.get(bit, 0) + sign * factor
        return self._total(one.constant + sign * other.constant, terms, width)

    def _total(self, constant: int, terms: dict[int, int], bits: int) -> Any:
        found = Linear(constant, terms, bits)
        if bits < _WORD:  # what is above is not known
            return self._word(self.store.sum_bits(found))
        return found if found.terms else constant & (1 << bits) - 1

    def _side_by_side(self, a: Any, b: Any) -> Any:
        """The sum of words that have no ones at one place; None where that is not seen."""
        if isinstance(a, Linear) or isinstance(b, Linear):
            return None
        width = min(each.width for each in (a, b) if isinstance(each, Bits))
        rows = list(zip(self.bits_of(a, width), self.bits_of(b, width), strict=True))
        return self._word([x or y for x, y in rows]) if all(x == FALSE or y == FALSE for x, y in rows) else None

    def _compared(self, name: str, a: Any, b: Any) -> Any:
        if isinstance(a, Bits) and isinstance(b, int):  # of one sample: the same literal as of others
            sample = next(each for each in a.ids if not FALSE <= each <= TRUE) & ~LITERAL
            if sample >= 0 and all(each <= TRUE or each & ~LITERAL == sample for each in a.ids):
                key = (name, tuple(each & LITERAL for each in a.ids), b)
                if key not in self._comparisons:
                    self._comparisons[key] = self._bit_compared(name, a, b) & LITERAL
                literal = self._comparisons[key]
                return self._word([literal if literal <= TRUE else sample | literal, *[FALSE] * (_WORD - 1)])
        return self._word([self._bit_compared(name, a, b), *[FALSE] * (_WORD - 1)])

    def _bit_compared(self, name: str, a: Any, b: Any) -> int:
        one, other = list(self.bits_of(a, _WORD)), list(self.bits_of(b, _WORD))
        if name == "slt":
            one[-1], other[-1] = self.store.inverted(one[-1]), self.store.inverted(other[-1])
        found = TRUE if name == "eq" else FALSE
        for x, y in zip(one, other, strict=True):
            if name == "eq":
                found = self.store.pair("and", found, self.store.inverted(self.store.pair("xor", x, y)))
            elif x != y:
                found = self.store.function(_BELOW, (x, y, found))
        return found

    def _chosen(self, condition: Any, a: Any, b: Any) -> Any:
        holds = FALSE
        for bit in self.bits_of(condition, condition.width if isinstance(condition, Bits) else _WORD):
            holds = self.store.pair("or", holds, bit)
        if holds <= TRUE and holds >= FALSE:
            return a if holds else b
        width = min([_WORD, *(each.width for each in (a, b) if isinstance(each, Bits))])
        rows = zip(self.bits_of(b, width), self.bits_of(a, width), strict=True)
        return self._word([x if x == y else self.store.function(_CHOICE, (x, y, holds)) for x, y in rows])

    # Integers of any width

    def binary(self, name: str, bits: int, a: Any, b: Any, flags: frozenset[str] = frozenset()) -> Any:
        """One of LLVM's operations on two integers."""
        if a is None or b is None or (isinstance(a, int) and isinstance(b, int)) or bits > 2 * _WORD:
            return super().binary(name, bits, a, b, flags)
        if name in ("add", "sub", "mul"):
            found = self._sum(name, 2 * _WORD if bits > _WORD else _WORD, a, b)
            if flags & {"nsw", "nuw"}:
                self._no_overflow(name, bits, a, b, found, flags)
            return found
        if name in ("shl", "lshr", "ashr"):
            return self._moved(name, bits, a, b) if isinstance(b, int) else self._moved_by(name, bits, a, b)
        if bits > _WORD and name in ("and", "or", "xor"):
            (a0, a1), (b0, b1) = self.pair(a), self.pair(b)
            return self.joined(self.make(name, a0, b0), self.make(name, a1, b1))
        return super().binary(name, bits, a, b, flags)

    def _moved(self, name: str, bits: int, a: Any, count: int) -> Any:
        if count >= bits:
            raise Stopped(f"{self.where} shifts {bits} bits by {count}")
        ids = self.bits_of(a, bits)
        if name == "shl":
            return self.number([*[FALSE] * count, *ids][:bits])
        return self.number([*ids[count:], *[FALSE if name == "lshr" else ids[-1]] * count])

    def _moved_by(self, name: str, bits: int, a: Any, b: Any) -> Any:
        """A shift by a count of a few bits: for each of its values the bits that there are then."""
        places = [(k, bit) for k, bit in enumerate(self.bits_of(b, bits)) if bit != FALSE]
        if len(places) > _MOST_COUNTS or sum(1 << k for k, _ in places) >= bits:
            raise Stopped(f"{self.where} shifts by a count that depends on inputs in an unknown way")
        found = []
        for x in range(1 << len(places)):
            count = sum(1 << k for place, (k, _) in enumerate(places) if x >> place & 1)
            found.append(self.bits_of(self._moved(name, bits, a, count), bits))
        return self.number(self.store.chosen_by([bit for _, bit in places], found))

    def _no_overflow(self, name: str, bits: int, a: Any, b: Any, found: Any, flags: frozenset[str]) -> None:
        """That the exact result lies in the range of its type, by the ends of its operands."""
        self.obligations += 1
        signed = "nsw" in flags
        low, high = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        lines = [self._exact(word, bits, signed) for word in (a, b)]
        ends = [line.ends if line is not None else (low - 1, high + 1) for line in lines]
        (a0, a1), (b0, b1) = ends
        corners = {
            "add": (a0 + b0, a1 + b1),
            "sub": (a0 - b1, a1 - b0),
            "mul": (min(x * y for x in ends[0] for y in ends[1]), max(x * y for x in ends[0] for y in ends[1])),
        }[name]
        within = all(low <= x and y <= high for x, y in ends) and low <= corners[0] and corners[1] <= high
        if not within and self.path != 0:
            self.broken.append(f"{'signed' if signed else 'unsigned'} overflow of {name} in {self.where}")

    def _exact(self, word: Any, bits: int, signed: bool) -> Linear | None:
        """A sum that is the integer itself, not only modulo 2^bits; None where that is not seen."""
        if isinstance(word, int) and not signed:
            return Linear(word & (1 << bits) - 1, {}, bits)
        found = self.linear(word, bits)
        low, high = found.ends
        within = -1 << bits - 1 <= low and high < 1 << bits - 1 if signed else low >= 0 and high < 1 << bits
        return found if within else None

    def cast(self, name: str, before: int, after: int, a: Any) -> Any:
        """`zext`, `sext` or `trunc`."""
        if a is None or isinstance(a, int):
            return super().cast(name, before, after, a)
        if isinstance(a, Linear):
            low, high = a.ends
            if name == "trunc" and after >= _WORD:
                return Linear(a.constant, a.terms, after)
            if name == "sext" and before >= _WORD and -1 << before - 1 <= low and high < 1 << before - 1:
                return Linear(a.constant, a.terms, after)
            if name == "zext" and before >= _WORD and low >= 0 and high < 1 << before:
                return Linear(a.constant, a.terms, after)
        if name == "trunc":
            ids = self.bits_of(a, after)
            return self.number(ids if after != 1 else [*ids, *[FALSE] * (_WORD - 1)])
        ids = self.bits_of(a, before)
        return self.number([*ids, *[FALSE if name == "zext" else ids[-1]] * (max(after, _WORD) - before)])
