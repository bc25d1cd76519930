"""What the checker of `words.py` knows of a word, as a function of variables (stored integers within their ranges).

An int; a form (terms, constant), modulo 2^32; a table (base, column), a column of words for each value of a sum of
variables; or None. Shares no code with `edgeml.proof.words`, which does the same for the prover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from .digits import line_of_digits, sum_of_digits
from .statements import integer, integers, need
from .word_any import chosen_of, plain
from .word_operations import COLUMNS

__all__ = ["ALL", "COLUMNS", "Base", "Form", "Known", "Table", "Words", "centred", "form_of"]

ALL, _MOST_ROWS, _MOST_OPERATIONS = 2**32 - 1, 2**22, 2**23
Column = Any
_NOTHING: tuple[dict[int, int], int, int, int] = ({}, 0, 0, 0)


class Form(NamedTuple):
    terms: dict[int, int]
    constant: int


class Base(NamedTuple):
    terms: tuple[tuple[int, int], ...]
    low: int
    high: int


class Table(NamedTuple):
    base: Base
    column: Column


Known = int | Form | Table | None


def centred(number: int, bits: int = 32) -> int:
    return (number + (1 << (bits - 1)) & (1 << bits) - 1) - (1 << (bits - 1))


def form_of(terms: dict[int, int], constant: int) -> int | Form:
    kept = {v: c for v, t in terms.items() if (c := centred(t))}
    return Form(kept, constant & ALL) if kept else constant & ALL


_RESIDUES: tuple[Callable[[int, int], int], ...] = (
    centred,
    lambda c, bits: c & (1 << bits) - 1,
    lambda c, bits: -centred(-c, bits),
    lambda c, bits: abs(c) % (1 << bits) * (1 if c > 0 else -1),
)
"""Weights modulo 2^bits: nearest to 0, from 0 up, of either sign at the middle, of their own sign."""


def _nearest(form: Form, bits: int) -> Iterator[dict[int, int]]:
    """Weights modulo 2^bits by each residue, then nearest to 0 but the heaviest: a bit may stand at the highest place
    and, inverted, at another."""
    for residue in _RESIDUES:
        yield {v: r for v, c in form.terms.items() if (r := residue(c, bits))}
    terms = {v: r for v, c in form.terms.items() if (r := centred(c, bits))}
    weight, v = max(((abs(r), v) for v, r in terms.items()), default=(0, -1))
    if weight:
        yield terms | {v: terms[v] - ((1 << bits) if terms[v] > 0 else -(1 << bits))}


class Words:
    """The words of a program, followed in order; kept are those that are asked for."""

    def __init__(self, content: dict[str, Any], kept: set[int]) -> None:
        operations, self.facts = content["operations"], {integer(a): integer(b) for a, b in content["facts"]}
        need(len(operations) < _MOST_OPERATIONS, "operations", "are too many")
        self.low, self.high, self._standing = list[int](), list[int](), dict[Any, int]()
        self.made: dict[int, Table] = {}
        self.kept, self.joined, self.maxima = dict[int, Known](), dict[Any, Any](), bool(content.get("maxima"))
        self.inputs: dict[int, tuple[int, int]] = {}
        last: dict[int, int] = {}
        for number, operation in enumerate(operations):
            last |= {item: number for item in operation[1:5] if type(item) is int and item >= 0}
        found: dict[int, Known] = {}
        for number, (name, *operands) in enumerate(operations):
            if name == "input":
                self.inputs[number] = (integer(operands[0]), integer(operands[1]))
                value = self._input(*self.inputs[number])
            elif name == "lookup":
                address, first, step = (integer(each) for each in operands[:3])
                value = self._lookup(found[address], first, step, integers(operands[3]))
            elif name == "unknown":
                value = None
            else:
                taken = [~item & ALL if item < 0 else found[item] for item in integers(operands)]
                value = self.result(str(name), taken)
            need(number not in self.facts or value == self.facts[number], "fact", f"of word {number} does not hold")
            found[number] = value
            if number in kept:
                self.kept[number] = plain(value)
            for item in operands[:4] if name not in ("input", "lookup", "unknown") else operands[:1]:
                if type(item) is int and last.get(item) == number:
                    found.pop(item, None)
        need(all(0 <= number < len(operations) for number in self.facts), "facts", "are of words that are not there")

    def value(self, word: int) -> Known:
        """What is known of a word: ~c is the constant c."""
        return ~integer(word) & ALL if integer(word) < 0 else self.kept[word]

    def ends(self, number: int) -> tuple[int, int]:
        """The range of an input."""
        return self.inputs[number]

    def same(self, one: Known, other: Known) -> bool:
        """Whether two words are the same sum."""
        return one is not None and not isinstance(one, Table) and one == other

    def _input(self, low: int, high: int) -> Known:
        need(min(low, high) >= -(2**31) and low <= high < 2**31, "input", "has no range of 32 bits")
        self.low.append(low)
        self.high.append(high)
        return Form({len(self.low) - 1: 1}, 0) if low < high else low & ALL

    def _lookup(self, address: Known, first: int, step: int, entries: list[int]) -> Known:
        base = self.base_of(address)
        column = None if base is None else self.over(address, base)
        if base is None or column is None:
            return None
        places = (column.astype(np.int64) - first) // step
        inside = (places >= 0) & (places < len(entries))  # others come in branches that are not taken then
        words = np.where(inside, np.array(entries, np.uint32)[places * inside], 0)
        return self.of_digits(base, words.astype(np.uint32))

    def of_digits(self, base: Base, words: Column) -> Known:
        """The function of a sum that a column says, where its variables may be digits of the sum."""
        found = self.table(base, words)
        digits = sum_of_digits(self._terms(base), words) if isinstance(found, Table) else None
        return found if digits is None else form_of(*digits)

    def _terms(self, base: Base) -> list[tuple[int, int, int, int]]:
        return [(c, v, self.low[v], self.high[v]) for v, c in base.terms]

    def span(self, terms: dict[int, int]) -> tuple[int, int]:
        """The smallest and the largest weighted sum."""
        pairs = [(c * self.low[v], c * self.high[v]) for v, c in terms.items()]
        return sum(map(min, pairs)), sum(map(max, pairs))

    def fit(self, form: Form, bits: int, signed: bool = False) -> tuple[dict[int, int], int, int, int] | None:
        """The lowest bits as an exact integer (terms, constant, least, most), where its range shows that none wraps."""
        least = -(1 << (bits - 1)) if signed else 0
        for terms in _nearest(form, bits):
            low, high = self.span(terms)
            start = (low + form.constant - least) % (1 << bits) + least
            if start + high - low < least + (1 << bits):
                return terms, start - low, start, start + high - low
        return None

    def base(self, terms: dict[int, int]) -> tuple[Base | None, int]:
        """The sum that terms are a multiple of, and how many times."""
        pairs = sorted(terms.items())
        common = gcd(*terms.values()) * (1 if pairs[0][1] > 0 else -1)
        scaled = tuple((v, c // common) for v, c in pairs)
        low, high = self.span(dict(scaled))
        return (Base(scaled, low, high) if high - low < _MOST_ROWS else None), common

    def base_of(self, value: Known) -> Base | None:
        if isinstance(value, Table):
            return value.base
        if not isinstance(value, Form):
            return None
        bases = {self.made[v].base for v in value.terms if v in self.made}
        if len(bases) == 1 and self.over(value, base := bases.pop()) is not None:
            return base
        return self.base(value.terms)[0]

    def over(self, value: Known, base: Base) -> Column | None:
        """A word as a function of a sum: a column, of one row where it is a constant."""
        if isinstance(value, int):
            return np.array([value], np.uint32)
        if not isinstance(value, Form):
            return value.column if isinstance(value, Table) and value.base == base else None
        column = np.zeros(base.high - base.low + 1, np.uint32) + np.uint32(value.constant)
        rest = dict(value.terms)
        for v in [v for v in rest if v in self.made and self.made[v].base == base]:
            column += self.made[v].column * np.uint32(rest.pop(v) & ALL)
        if rest:
            factor, left = divmod(rest.get(base.terms[0][0], 0), base.terms[0][1])
            if left or rest != {v: c * factor for v, c in base.terms}:
                line = line_of_digits(self._terms(base), rest)
                return None if line is None else column + line
            column += np.arange(base.low, base.high + 1).astype(np.uint32) * np.uint32(factor & ALL)
        return column

    def table(self, base: Base, column: Column) -> Known:
        """The function of a sum that a column says."""
        if not (column != column[0]).any():
            return int(column[0])
        step = centred(int(column[1]) - int(column[0]))
        if not (np.diff(column) != np.uint32(step & ALL)).any():
            return form_of({v: c * step for v, c in base.terms}, int(column[0]) - step * base.low)
        return Table(base, column)

    def as_form(self, value: Form | Table | int) -> Form:
        """A form; a new variable stands for the entries of a table, but for the power of two that they share."""
        if isinstance(value, int):
            return Form({}, value)
        if isinstance(value, Form):
            return value
        wide = value.column.astype(np.int64)
        signed = value.column.astype(np.int32).astype(np.int64)
        wide = signed if np.ptp(signed) < np.ptp(wide) else wide
        ones = int(np.bitwise_or.reduce(wide))
        wide = wide // (ones & -ones)
        stands = self._standing.setdefault((value.base, wide.tobytes()), len(self.low))
        if stands == len(self.low):
            self.low.append(int(wide.min()))
            self.high.append(int(wide.max()))
            self.made[stands] = Table(value.base, wide.astype(np.uint32))
        return Form({stands: centred(ones & -ones)}, 0)

    def result(self, name: str, taken: list[Known]) -> Known:
        """What an operation gives."""
        if name == "and" and any(isinstance(value, int) and value == 0 for value in taken):
            return 0
        if any(value is None for value in taken):
            return None
        if all(isinstance(value, int) for value in taken):
            return int(COLUMNS[name](*(np.array([value], np.uint32) for value in taken))[0])
        tables = any(isinstance(value, Table) for value in taken)
        for attempt in (self.by_rows, self._by_rule) if tables else (self._by_rule, self.by_rows):
            found = attempt(name, taken)
            if found is not None:
                return found
        return None

    def by_rows(self, name: str, taken: list[Known]) -> Known:
        for value in taken:
            base = self.base_of(value)
            columns = [None if base is None else self.over(each, base) for each in taken]
            if base is not None and all(column is not None for column in columns):
                return self.table(base, np.broadcast_to(COLUMNS[name](*columns), (base.high - base.low + 1,)))
        return None

    def _by_rule(self, name: str, taken: list[Any]) -> Known:
        if name in ("add", "sub"):
            return self.add(taken[0], taken[1], -1 if name == "sub" else 1)
        if name in ("mul", "shl"):
            factor = taken[1] if name == "mul" else 1 << min(taken[1], 32) if isinstance(taken[1], int) else None
            other, factor = (taken[1], taken[0]) if isinstance(taken[0], int) and name == "mul" else (taken[0], factor)
            if not isinstance(factor, int) or not isinstance(other, Form):
                return None
            return form_of({v: c * factor for v, c in other.terms.items()}, other.constant * factor)
        if name in ("shr", "sar") and isinstance(taken[1], int) and isinstance(taken[0], Form):
            return self._shifted(taken[0], taken[1], name == "sar")
        if name in ("and", "or", "xor"):
            return self._bitwise(name, taken[0], taken[1])
        if name in ("slt", "ult"):
            return self._less(name == "slt", *taken)
        if name == "eq":
            difference = self.add(taken[0], taken[1], -1)
            if isinstance(difference, Form):
                whole = self.fit(difference, 32, True)
                return 0 if whole is not None and not whole[2] <= 0 <= whole[3] else self.by_rows(name, [difference, 0])
            return int(difference == 0)
        if name == "select":
            if isinstance(taken[0], int):
                return self.add(taken[1] if taken[0] else taken[2], 0)
            difference = self.add(taken[1], taken[2], -1)
            if isinstance(difference, Form):
                return form if (form := chosen_of(self, taken, difference)) is None else self.add(form, 0)
            condition = self.as_form(taken[0])
            span = self.fit(condition, 32)
            chosen = None if span is None or span[3] > 1 else self._by_rule("mul", [condition, difference])
            return None if chosen is None else self.add(taken[2], chosen)
        return None

    def add(self, a: Any, b: Any, factor: int = 1) -> Known:
        """a + factor · b."""
        one, other = self.as_form(a), self.as_form(b)
        terms = dict(one.terms)
        for v, c in other.terms.items():
            terms[v] = terms.get(v, 0) + factor * c
        return form_of(terms, one.constant + factor * other.constant)

    def _shifted(self, form: Form, count: int, signed: bool) -> Known:
        if count == 0:
            return form
        whole, rest = (None, None) if count > 31 else (self.fit(form, 32, signed), self.fit(form, count))
        if whole is None or rest is None:
            return None
        terms = {v: whole[0].get(v, 0) - rest[0].get(v, 0) >> count for v in whole[0] | rest[0]}
        return form_of(terms, whole[1] - rest[1] >> count)

    def _fields(self, value: Any, places: set[int]) -> list[tuple[int, int, Any]]:
        """(first bit, bit behind the last, word) of parts of a word, none of which reaches another."""
        if isinstance(value, int):
            ends = sorted(places | {0, 32})
            return [(a, b, value >> a & (1 << b - a) - 1) for a, b in pairwise(ends)]
        fields: list[tuple[int, int, Any]] = []
        first, lower = 0, _NOTHING
        own = {(c & -c).bit_length() - 1 for c in value.terms.values()}
        for end in sorted((places | own) - {0, 32}):
            upper = self.fit(value, end)
            if upper is not None:
                terms = {v: upper[0].get(v, 0) - lower[0].get(v, 0) >> first for v in upper[0] | lower[0]}
                fields.append((first, end, form_of(terms, upper[1] - lower[1] >> first)))
                first, lower = end, upper
        whole = self.fit(value, 32)
        terms, constant = (value.terms, value.constant) if whole is None else whole[:2]
        above = {v: terms.get(v, 0) - lower[0].get(v, 0) >> first for v in terms | lower[0]}
        return [*fields, (first, 32, form_of(above, constant - lower[1] >> first))]

    def ones(self, value: Any) -> int:
        """The bits that can be 1."""
        if isinstance(value, Table):
            return int(np.bitwise_or.reduce(value.column))
        mask = 0
        for first, end, part in self._fields(value, set()):
            whole = self.fit(part, 32) if isinstance(part, Form) else ({}, part, part, part)
            most = ALL if whole is None else whole[3]
            mask |= ((1 << most.bit_length()) - 1 & (1 << end - first) - 1) << first
        return mask if not isinstance(value, int) else value

    def _bitwise(self, name: str, a: Any, b: Any) -> Known:
        if self.ones(a) & self.ones(b) == 0:
            return 0 if name == "and" else self.add(a, b)
        mask, value = (a, b) if isinstance(a, int) else (b, a)
        if not isinstance(mask, int) or not isinstance(value, Form):
            return None
        if name == "and" and ~mask & self.ones(value) == 0:
            return value
        total: Known = 0
        edges = {bit for bit in range(1, 32) if (mask >> bit ^ mask >> bit - 1) & 1}
        for first, end, part in self._fields(value, edges):
            size = (1 << end - first) - 1
            there = mask >> first & size
            if there == 0:
                found: Known = 0 if name == "and" else part
            elif there == size:
                found = part if name == "and" else size if name == "or" else self.add(size, part, -1)
            else:
                found = self.by_rows("and", [self.by_rows(name, [part, there]), size])
            if found is None:
                return None
            total = self.add(total, self._by_rule("shl", [self.as_form(found), first]) or 0)
        return total

    def _less(self, signed: bool, a: Any, b: Any) -> Known:
        one, other = (self.fit(self.as_form(value), 32, signed) for value in (a, b))
        if one is None or other is None:
            return None
        terms = {v: one[0].get(v, 0) - other[0].get(v, 0) for v in one[0] | other[0]}
        terms, constant = {v: c for v, c in terms.items() if c}, one[1] - other[1]
        low, high = self.span(terms)
        if high + constant < 0 or low + constant >= 0:
            return int(high + constant < 0)
        rows = self.by_rows("slt" if signed else "ult", [a, b])
        if rows is not None:
            return rows
        base, factor = self.base(terms)
        if base is None:
            return None
        sums = np.arange(base.low, base.high + 1)
        return self.table(base, (factor * sums + constant < 0).astype(np.uint32))
