"""Integers of LLVM's intermediate form on words of 32 bits: what each operation gives, and what must not happen in it.

An integer of up to 32 bits is a constant or a node, of which its lowest bits count: what stands above them is whatever
wrapped on the way, and is cut off where the integer is compared, widened or shifted right. One of 64 bits is a constant
or a `Wide`. Undefined behaviour of C is an `obligation`: that an operation on words gives 0 on the path
that is followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeml.proof.words.dataflow import Dataflow, Node, Operand

from .constants import COMPARED, CONSTANT, as_signed

__all__ = ["NotFollowed", "Number", "Numbers", "Stopped", "Wide"]

_ALL, _ALL64 = (1 << 32) - 1, (1 << 64) - 1


class Stopped(Exception):
    """Why a program cannot be followed further: what it does must not be, or is not seen to be right."""


class NotFollowed(Stopped):
    """The same, where it does what is not followed at all."""


@dataclass(frozen=True, eq=False)
class Wide:
    """64 bits as two words, not both of them constants."""

    low: Operand
    high: Operand


Number = int | Node | Wide


class Numbers:
    """Operations on integers, entered into a flow.

    Attributes
    ----------
    path : a word that is not 0 where the inputs lead to what is followed; 1 outside of branches.
    broken : obligations that could not be shown, in words.
    """

    def __init__(self, flow: Dataflow) -> None:
        self.flow = flow
        self.path: Operand = 1
        self.broken: list[str] = []
        self.obligations = 0
        self.where = ""
        self._cut: dict[tuple[int, int, bool], Operand] = {}
        self._kept: list[Node] = []

    def forget(self) -> None:
        """Let go of what was kept for one stage."""
        self._cut.clear()
        self._kept.clear()

    # Words

    def make(self, name: str, *operands: Operand) -> Operand:
        """An operation on words; a constant where it always gives one."""
        return self.settled(self.flow.make(name, *operands))

    def settled(self, operand: Operand) -> Operand:
        """The constant that a word always is, else the word. One that is found among few is a part of an address."""
        if isinstance(operand, Node) and isinstance(operand.value, int):
            self.flow.facts[operand.number] = operand.value
            return operand.value
        return next(iter(operand.among)) if isinstance(operand, Node) and len(operand.among) == 1 else operand

    def add(self, a: Operand, b: Operand) -> Operand:
        """a + b modulo 2^32."""
        if isinstance(a, int) and isinstance(b, int):
            return (a + b) & _ALL
        if a == 0:
            return b
        return a if b == 0 else self.make("add", a, b)

    def mul(self, a: Operand, b: Operand) -> Operand:
        """a · b modulo 2^32."""
        if isinstance(a, int) and isinstance(b, int):
            return (a * b) & _ALL
        if a == 0 or b == 0:
            return 0
        if a == 1:
            return b
        return a if b == 1 else self.make("mul", a, b)

    def choose(self, condition: Operand, a: Operand, b: Operand) -> Operand:
        """a where a word is not 0, else b."""
        if isinstance(condition, int):
            return a if condition else b
        if a is b or (isinstance(a, int) and isinstance(b, int) and a == b):
            return a
        return self.make("select", condition, a, b)

    def zeros(self, word: Operand, bits: int) -> Operand:
        """The lowest bits of a word, zeros above."""
        if bits == 32:
            return word
        mask = (1 << bits) - 1
        return word & mask if isinstance(word, int) else self._cut_off(word, bits, False)

    def signs(self, word: Operand, bits: int) -> Operand:
        """The lowest bits of a word, the highest of them above."""
        if bits == 32:
            return word
        if isinstance(word, int):
            return as_signed(word & ((1 << bits) - 1), bits) & _ALL
        return self._cut_off(word, bits, True)

    def _cut_off(self, word: Node, bits: int, signed: bool) -> Operand:
        key = (word.number, bits, signed)
        if key not in self._cut:
            self._kept.append(word)
            if signed:
                found = self.make("sar", self.make("shl", word, 32 - bits), 32 - bits)
            else:
                found = self.make("and", word, (1 << bits) - 1)
            self._cut[key] = found
        return self._cut[key]

    def saturated(self, word: Operand, low: int, high: int) -> Operand:
        """A signed word brought within low … high."""
        above = self.choose(self.make("slt", word, low & _ALL), low & _ALL, word)
        return self.choose(self.make("slt", high & _ALL, above), high & _ALL, above)

    def of_mask(self, mask: Any) -> Any:
        """A vector of bits of which some depend on inputs, as an integer: as it is."""
        return mask

    def function_of_three(self, table: int, a: Any, b: Any, c: Any) -> Any:
        """Of each bit of three words bit 4 a + 2 b + c of a table; None where that is made of other operations."""
        return None

    # Obligations

    def oblige(self, broken: Operand, what: str) -> None:
        """That a word is 0 wherever the path comes by."""
        self.obligations += 1
        if not isinstance(broken, int) or (broken and self.path != 1):
            broken = self.make("and", self.path, self.choose(broken, 1, 0))
        if broken != 0:
            self.broken.append(f"{what} in {self.where}")

    # Integers of any width

    @staticmethod
    def pair(number: Number) -> tuple[Operand, Operand]:
        """The two words of 64 bits."""
        if isinstance(number, Wide):
            return number.low, number.high
        assert isinstance(number, int)
        return number & _ALL, number >> 32

    @staticmethod
    def joined(low: Operand, high: Operand) -> Number:
        """Two words as one of 64 bits."""
        if isinstance(low, int) and isinstance(high, int):
            return low | high << 32
        return Wide(low, high)

    def binary(self, name: str, bits: int, a: Any, b: Any, flags: frozenset[str] = frozenset()) -> Number:
        """One of LLVM's operations on two integers."""
        if a is None or b is None:
            raise Stopped(f"{self.where} takes a value that is not defined")
        if isinstance(a, int) and isinstance(b, int):
            return self._constant(name, bits, a, b, flags)
        if name in ("shl", "lshr", "ashr"):
            if not isinstance(b, int):
                return self._shifted_by(name, bits, a, b)
            if b >= bits:
                raise Stopped(f"{self.where} shifts {bits} bits by {b}")
        if "exact" in flags:
            raise NotFollowed(f"{self.where} divides what depends on inputs as if nothing were left")
        if name in ("udiv", "sdiv", "urem", "srem"):
            return self._divided(name, bits, a, b)
        if bits == 64:
            found = self._wide(name, a, b)
        elif bits <= 32:
            found = self._narrow(name, bits, a, b)
        else:
            raise Stopped(f"{self.where} has integers of {bits} bits")
        if flags & {"nsw", "nuw"}:
            self._no_overflow(name, bits, a, b, found, flags)
        return found

    def _constant(self, name: str, bits: int, a: int, b: int, flags: frozenset[str]) -> int:
        if name in ("shl", "lshr", "ashr") and b >= bits:
            raise Stopped(f"{self.where} shifts {bits} bits by {b}")
        if name in ("udiv", "sdiv", "urem", "srem") and b == 0:
            raise Stopped(f"{self.where} divides by 0")
        if "exact" in flags:
            self.oblige(int(name != "sdiv" or a % b != 0), "a division that leaves something")
        exact = CONSTANT[name](a, b, bits)
        if "nsw" in flags:
            whole = name in ("add", "sub", "mul")
            of_signs = CONSTANT[name](as_signed(a, bits), as_signed(b, bits), bits) if whole else 0
            self.oblige(int(not -(1 << (bits - 1)) <= of_signs < 1 << (bits - 1)), f"signed overflow of {name}")
        if "nuw" in flags and name in ("add", "sub", "mul"):
            self.oblige(int(not 0 <= exact < 1 << bits), f"unsigned overflow of {name}")
        return exact & ((1 << bits) - 1)

    def _narrow(self, name: str, bits: int, a: Operand, b: Operand) -> Operand:
        if name == "add":
            return self.add(a, b)
        if name == "mul":
            return self.mul(a, b)
        if name == "lshr":
            return self.make("shr", self.zeros(a, bits), b)
        if name == "ashr":
            return self.make("sar", self.signs(a, bits), b)
        return self.make(name, a, b)

    def _wide(self, name: str, a: Number, b: Number) -> Number:
        (a0, a1), (b0, b1) = self.pair(a), self.pair(b)
        if name in ("and", "or", "xor"):
            return self.joined(self.make(name, a0, b0), self.make(name, a1, b1))
        if name == "add":
            low = self.add(a0, b0)
            return self.joined(low, self.add(self.add(a1, b1), self.make("ult", low, a0)))
        if name == "sub":
            high = self.make("sub", self.make("sub", a1, b1), self.make("ult", a0, b0))
            return self.joined(self.make("sub", a0, b0), high)
        if name == "mul":
            high = self.add(self.make("mulhu", a0, b0), self.add(self.mul(a0, b1), self.mul(a1, b0)))
            return self.joined(self.mul(a0, b0), high)
        assert isinstance(b, int)
        if b >= 32:
            more = b - 32
            if name == "shl":
                return self.joined(0, self.make("shl", a0, more) if more else a0)
            shift = "shr" if name == "lshr" else "sar"
            return self.joined(
                self.make(shift, a1, more) if more else a1, 0 if name == "lshr" else self.make("sar", a1, 31)
            )
        if b == 0:
            return a
        if name == "shl":
            high = self.make("or", self.make("shl", a1, b), self.make("shr", a0, 32 - b))
            return self.joined(self.make("shl", a0, b), high)
        low = self.make("or", self.make("shr", a0, b), self.make("shl", a1, 32 - b))
        return self.joined(low, self.make("shr" if name == "lshr" else "sar", a1, b))

    def _shifted_by(self, name: str, bits: int, a: Any, b: Any) -> Number:
        """A shift by a count that depends on the inputs: one after the other of the few that come."""
        count = b.low if isinstance(b, Wide) else self.zeros(b, bits) if bits < 32 else b
        if isinstance(b, Wide):
            self.oblige(self.choose(self.make("eq", b.high, 0), 0, 1), "shift by too much")
        self.oblige(self.make("xor", self.make("ult", count, bits), 1), "shift by too much")
        assert isinstance(count, Node)
        _, column = self.flow.column(count)
        if column is None:
            raise Stopped(f"{self.where} shifts by a count that depends on inputs in an unknown way")
        counts = sorted({int(each) for each in column if each < bits})
        if not counts or len(counts) > 64:
            raise Stopped(f"{self.where} shifts by one of too many counts")
        found = self.binary(name, bits, a, counts[-1])
        for each in counts[:-1]:
            found = self.select(self.make("eq", count, each), bits, self.binary(name, bits, a, each), found)
        return found

    def _divided(self, name: str, bits: int, a: Any, b: Any) -> Number:
        """A division by a power of two of what is not negative."""
        if not isinstance(b, int) or b <= 0 or b & (b - 1) or b >> (bits - 1):
            raise Stopped(f"{self.where} divides what depends on inputs by other than a power of two")
        if name in ("sdiv", "srem") and self.compare("slt", bits, a, 0) != 0:
            raise Stopped(f"{self.where} divides what may be negative")
        places = b.bit_length() - 1
        if name in ("udiv", "sdiv"):
            return self.binary("lshr", bits, a, places)
        return self.binary("and", bits, a, b - 1)

    def _no_overflow(self, name: str, bits: int, a: Any, b: Any, found: Number, flags: frozenset[str]) -> None:
        if name not in ("add", "sub", "mul"):
            raise Stopped(f"{self.where} has flags that are not followed")
        what = f"signed overflow of {name}" if "nsw" in flags else f"unsigned overflow of {name}"
        if "nuw" in flags or bits not in (32, 64) or (bits == 64 and name == "mul"):
            self.oblige(self._passes(name, bits, a, b, "nsw" in flags), what)
        elif name == "mul":
            self.oblige(self._product_wraps(a, b, found), what)  # type: ignore[arg-type]
        else:
            less, more = (found, a) if name == "add" else (a, found)
            self.oblige(self._sum_wraps(bits, less, more, b), what)

    def _sum_wraps(self, bits: int, less: Any, more: Any, b: Any) -> Operand:
        """Whether a sum or difference wraps: `less` is below `more`, unless b is negative, and just then."""
        if self.compare("slt", bits, b, 0) == 0:
            return self.compare("slt", bits, less, more)
        if self.compare("sgt", bits, b, 0) == 0:
            return self.compare("slt", bits, more, less)
        return self.make("xor", self.compare("slt", bits, less, more), self.compare("slt", bits, b, 0))

    def _product_wraps(self, a: Operand, b: Operand, found: Operand) -> Operand:
        """Whether a product of words wraps: by a constant, where the factor lies beyond what it may be."""
        constant, factor = (a, b) if isinstance(a, int) else (b, a)
        if constant == 0:
            return 0
        if isinstance(constant, int):
            of = as_signed(constant, 32)
            above, below = ((1 << 31) - 1) // abs(of), (1 << 31) // abs(of)
            low, high = (-below, above) if of > 0 else (-above, min(below, (1 << 31) - 1))
            return self.make("or", self.make("slt", high, factor), self.make("slt", factor, low & _ALL))
        return self.make("xor", self.make("eq", self.make("mulhs", a, b), self.make("sar", found, 31)), 1)

    def _passes(self, name: str, bits: int, a: Any, b: Any, signed: bool) -> Operand:
        if bits == 64 and name == "mul":
            return self._product_passes(a, b)
        raise Stopped(f"{self.where} has an overflow that is not followed")

    def _product_passes(self, a: Any, b: Any) -> Operand:
        """A product of 64 bits cannot overflow where both factors are 32 bits, extended by their signs."""
        parts = []
        for low, high in (self.pair(a), self.pair(b)):
            parts.append(self.make("xor", self.make("eq", high, self.make("sar", low, 31)), 1))
        return self.make("or", parts[0], parts[1])

    def compare(self, name: str, bits: int, a: Any, b: Any) -> Operand:
        """1 where a comparison holds, else 0."""
        if a is None or b is None:
            raise Stopped(f"{self.where} compares a value that is not defined")
        if isinstance(a, int) and isinstance(b, int):
            one, other = (as_signed(a, bits), as_signed(b, bits)) if name[0] == "s" else (a, b)
            return int(COMPARED[name if name in ("eq", "ne") else name[1:]](one, other))
        if name in ("ne", "uge", "sge", "ule", "sle"):
            opposite = {"ne": "eq", "uge": "ult", "sge": "slt", "ule": "ugt", "sle": "sgt"}[name]
            return self.make("xor", self.compare(opposite, bits, a, b), 1)
        if name in ("ugt", "sgt"):
            return self.compare(name[0] + "lt", bits, b, a)
        if bits == 64:
            return self._compare_wide(name, a, b)
        cut = self.signs if name == "slt" else self.zeros
        return self.make(name, cut(a, bits), cut(b, bits))

    def _compare_wide(self, name: str, a: Number, b: Number) -> Operand:
        (a0, a1), (b0, b1) = self.pair(a), self.pair(b)
        same = self.make("eq", a1, b1)
        if name == "eq":
            return self.make("and", same, self.make("eq", a0, b0))
        below = self.make(name, a1, b1)
        if same == 0:
            return below
        return self.choose(same, self.make("ult", a0, b0), below)

    def select(self, condition: Operand, bits: int, a: Any, b: Any) -> Any:
        """a where a condition of 0 or 1 holds, else b."""
        if isinstance(condition, int):
            return a if condition else b
        if a is b or (isinstance(a, int) and isinstance(b, int) and a == b):
            return a
        if a is None or b is None:
            return None
        if bits <= 32:
            return self.choose(condition, a, b)
        (a0, a1), (b0, b1) = self.pair(a), self.pair(b)
        return self.joined(self.choose(condition, a0, b0), self.choose(condition, a1, b1))

    def cast(self, name: str, before: int, after: int, a: Any) -> Number:
        """`zext`, `sext` or `trunc`."""
        if a is None:
            raise Stopped(f"{self.where} takes a value that is not defined")
        if isinstance(a, int):
            return (as_signed(a, before) if name == "sext" else a) & ((1 << after) - 1)
        if name == "trunc":
            word = a.low if isinstance(a, Wide) else a
            return word & ((1 << after) - 1) if isinstance(word, int) else self.zeros(word, 1) if after == 1 else word
        word = self.zeros(a, before) if name == "zext" else self.signs(a, before)
        if after <= 32:
            return word & ((1 << after) - 1) if isinstance(word, int) else word
        return self.joined(word, 0 if name == "zext" else self.make("sar", word, 31))
