"""What a word of 32 bits can be, as a function of some integers whose ranges are known.

Four shapes, from the most to the least that is known:

- a constant, a Python int 0 … 2^32 − 1;
- a `Form`: Σ c_i v_i + constant modulo 2^32;
- a `Table`: any function of one weighted sum Σ d_i v_i, for each value in its range;
- `Unknown`, with the reason why.

A form holds modulo 2^32 whatever wraps on the way, since addition, subtraction and multiplication by a constant do. It
is read as an integer (compared, shifted right, cut into fields) only where the range of a representative shows that
nothing wraps: `Space.fit`. Ranges are those of independent variables, so they contain what can come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_ROWS", "WORD", "Base", "Fit", "Form", "Space", "Table", "Unknown", "Value", "centred", "form"]

WORD = 1 << 32
MOST_ROWS = 1 << 22
"""Rows of a table: 22 bits of an accumulator."""

_MOST_DIGITS = 8
Column = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Form:
    """Σ terms[v] · v + constant modulo 2^32; terms in −2^31 … 2^31 − 1 and not 0, constant 0 … 2^32 − 1."""

    terms: Mapping[int, int]
    constant: int
    fits: dict[tuple[int, bool], Fit | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """An exact integer Σ terms[v] · v + constant within low … high."""

    terms: Mapping[int, int]
    constant: int
    low: int
    high: int


@dataclass(frozen=True)
class Base:
    """A weighted sum of variables, with no common factor and the first weight positive, within low … high."""

    terms: tuple[tuple[int, int], ...]
    low: int
    high: int

    def sums(self) -> npt.NDArray[np.int64]:
        """All its values."""
        return np.arange(self.low, self.high + 1, dtype=np.int64)

    def words(self) -> Column:
        """The same modulo 2^32."""
        return _words(self.low, self.high)


@lru_cache(maxsize=4)
def _words(low: int, high: int) -> Column:
    return np.arange(low, high + 1, dtype=np.int64).astype(np.uint32)


@dataclass(frozen=True, eq=False)
class Table:
    """column[s − base.low] for each value s of a sum."""

    base: Base
    column: Column


@dataclass(frozen=True, eq=False)
class Unknown:
    """Nothing is known. corner : values of variables at which the reason is at its worst."""

    why: str
    corner: Mapping[int, int] = field(default_factory=dict)


Value = int | Form | Table | Unknown


def centred(number: int, bits: int = 32) -> int:
    """The residue of a number modulo 2^bits in −2^(bits − 1) … 2^(bits − 1) − 1."""
    half = 1 << (bits - 1)
    return ((number + half) & ((1 << bits) - 1)) - half


def form(terms: Mapping[int, int], constant: int) -> int | Form:
    """The form of these terms; the constant alone where there are none."""
    kept = {v: c for v, t in terms.items() if (c := centred(t))}
    return Form(kept, constant % WORD) if kept else constant % WORD


class Space:
    """Variables, and what is known of them. `made_of` : those that stand for the entries of a table. `joined` : those
    that stand for a product or a maximum; `variables_of` : the same by what it is of (`products_and_maxima`). `maxima`:
    whether choices are looked at for maxima, which is for networks with such layers alone: searches choose, too."""

    def __init__(self) -> None:
        self.low: list[int] = []
        self.high: list[int] = []
        self.made_of: dict[int, Table] = {}
        self.maxima = False
        self.joined: dict[int, tuple[Any, ...]] = {}
        self.variables_of: dict[tuple[Any, ...], int] = {}
        self._standing_for: dict[tuple[Base, bytes], int] = {}

    def variable(self, low: int, high: int) -> int:
        """A new variable within low … high."""
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def span(self, terms: Mapping[int, int]) -> tuple[int, int]:
        """The smallest and the largest Σ terms[v] · v."""
        low = high = 0
        for v, c in terms.items():
            a, b = c * self.low[v], c * self.high[v]
            low, high = (low + a, high + b) if a <= b else (low + b, high + a)
        return low, high

    def corner(self, terms: Mapping[int, int], largest: bool) -> dict[int, int]:
        """Values of the variables at an end of Σ terms[v] · v."""
        return {v: self.high[v] if (c > 0) == largest else self.low[v] for v, c in terms.items()}

    def fit(self, value: Form, bits: int, signed: bool = False) -> Fit | None:
        """The lowest bits of a form as an exact integer, 0 … 2^bits − 1 or two's complement; None where it may wrap."""
        key = (bits, signed)
        if key not in value.fits:
            value.fits[key] = self._fit(value, bits, signed)
        return value.fits[key]

    def _fit(self, value: Form, bits: int, signed: bool) -> Fit | None:
        size = 1 << bits
        least = -(size >> 1) if signed else 0
        # Fields hold weights of both signs, or codes from 0 up; the highest bit alone is as well above as below 0.
        for residue in _residues(bits):
            terms = {v: r for v, c in value.terms.items() if (r := residue(c))}
            found = self._within(terms, value.constant, least, size)
            if found is not None:
                return found
        # Of a bit that stands at the highest place and below, once as it is and once inverted, the weight's sign is
        # lost: it is the one that outweighs all others. Whatever weights are taken, the range shows that none wraps.
        terms = {v: r for v, c in value.terms.items() if (r := centred(c, bits))}
        if not terms:
            return None
        first = max(terms, key=lambda v: abs(terms[v]))
        terms[first] += -size if terms[first] > 0 else size
        return self._within(terms, value.constant, least, size)

    def _within(self, terms: Mapping[int, int], constant: int, least: int, size: int) -> Fit | None:
        """The integer least … least + size − 1 that a sum is modulo `size`; None where its range passes those."""
        low, high = self.span(terms)
        start = (low + constant - least) % size + least
        return Fit(terms, start - low, start, start + high - low) if start + high - low < least + size else None

    def base_of(self, value: Form) -> Base | None:
        """A sum that a form is a function of; None if it has too many values."""
        bases = {self.made_of[v].base for v in value.terms if v in self.made_of}
        if len(bases) == 1 and self.over(value, base := next(iter(bases))) is not None:
            return base
        return self.direction(value.terms)

    def direction(self, terms: Mapping[int, int]) -> Base | None:
        """The sum of which these terms are a multiple; None if it has too many values."""
        pairs = sorted(terms.items())
        common = gcd(*(c for _, c in pairs))
        common = common if pairs[0][1] > 0 else -common
        scaled = tuple((v, c // common) for v, c in pairs)
        low, high = self.span(dict(scaled))
        return Base(scaled, low, high) if high - low < MOST_ROWS else None

    def over(self, value: Value, base: Base) -> Column | None:
        """A value as a function of a sum: its column, or of a constant one row; None if it is not one."""
        if isinstance(value, int):
            return np.array([value], np.uint32)
        if isinstance(value, Table):
            return value.column if value.base == base else None
        if isinstance(value, Unknown):
            return None
        made = {v: c for v, c in value.terms.items() if v in self.made_of and self.made_of[v].base == base}
        rest = {v: c for v, c in value.terms.items() if v not in made}
        factor = _multiple(rest, base)
        if factor is None:
            digits = self._digits(base) if rest.keys() <= dict(base.terms).keys() else None
            if digits is None:
                return None
            line = sum(digits[v] * c for v, c in rest.items())
            column = np.asarray(line & (WORD - 1)).astype(np.uint32)
        else:
            rows = base.high - base.low + 1
            column = base.words() * np.uint32(factor % WORD) if factor else np.zeros(rows, np.uint32)
        column += np.uint32(value.constant)
        for v, c in made.items():
            column += self.made_of[v].column * np.uint32(c % WORD)
        return column

    def standing_for(self, table: Table) -> Form:
        """A variable for the entries of a table, times the power of two that all of them share."""
        wide = table.column.astype(np.int64)
        signed = np.where(wide >= WORD >> 1, wide - WORD, wide)
        narrow = wide if wide.max() - wide.min() <= signed.max() - signed.min() else signed
        ones = int(np.bitwise_or.reduce(narrow))
        shared = (ones & -ones).bit_length() - 1
        column = ((narrow >> shared) & (WORD - 1)).astype(np.uint32)
        key = (table.base, column.tobytes())
        if key not in self._standing_for:
            made = self.variable(int(narrow.min()) >> shared, int(narrow.max()) >> shared)
            self.made_of[made] = Table(table.base, column)
            self._standing_for[key] = made
        return Form({self._standing_for[key]: centred(1 << shared)}, 0)

    def table(self, base: Base, column: Column) -> Value:
        """A table, or the constant or form that it is."""
        first = int(column[0])
        if len(column) == 1 or (column[-1] == first and not np.any(column != first)):
            return first
        step = centred(int(column[1]) - first)
        constant = first - step * base.low
        if (base.high * step + constant - int(column[-1])) % WORD == 0:
            line = base.words() * np.uint32(step % WORD) + np.uint32(constant % WORD)
            if np.array_equal(line, column):
                return form({v: c * step for v, c in base.terms}, constant)
        return Table(base, column)

    def looked_up(self, base: Base, column: Column) -> Value:
        """The same of entries that were looked up: where the variables are digits of the sum, as those of
        x0 + 4 x1 + 16 x2 with 0 … 3, it may be a weighted sum of these. Rows that no digits give do not come."""
        found = self.table(base, column)
        digits = self._digits(base) if isinstance(found, Table) else None
        if digits is None:
            return found
        first = int(column[0])
        terms = {v: centred((int(column[abs(c)]) - first) * (1 if c > 0 else -1)) for v, c in base.terms}
        constant = first - sum(int(digits[v][0]) * step for v, step in terms.items())
        line = sum(digits[v] * step for v, step in terms.items()) + constant
        places = sum(digits[v] * c for v, c in base.terms)
        come = places == base.sums()
        if not np.array_equal(np.asarray(line & (WORD - 1)).astype(np.uint32)[come], column[come]):
            return found
        return form(terms, constant)

    def _digits(self, base: Base) -> dict[int, npt.NDArray[np.int64]] | None:
        """For each value of a sum that of each variable; None unless they are digits of it, none of which reaches the
        next: from its lowest up, or where its weight is below 0 from its highest down."""
        order, reached = sorted((abs(c), v) for v, c in base.terms), 0
        if not 2 <= len(order) <= _MOST_DIGITS:
            return None
        for c, v in order:
            if c <= reached:
                return None
            reached += c * (self.high[v] - self.low[v])
        rest, found = np.arange(reached + 1, dtype=np.int64), {}
        signs = dict(base.terms)
        for c, v in reversed(order):
            digit = np.minimum(rest // c, self.high[v] - self.low[v])
            found[v] = self.low[v] + digit if signs[v] > 0 else self.high[v] - digit
            rest = rest - digit * c
        return found

    def forget(self) -> None:
        """Let go of what variables stand for: what comes next takes none of them."""
        self.made_of.clear()
        self.joined.clear()
        self.variables_of.clear()
        self._standing_for.clear()


def _residues(bits: int) -> tuple[Callable[[int], int], ...]:
    """Ways to take a weight modulo 2^bits: nearest to 0, from 0 up, the same of its negative, of its own sign (a bit
    that stands at several places, inverted or not)."""
    size = 1 << bits
    return (
        lambda c: centred(c, bits),
        lambda c: c % size,
        lambda c: -centred(-c, bits),
        lambda c: c % size if c > 0 else -(-c % size),
    )


def _multiple(terms: Mapping[int, int], base: Base) -> int | None:
    """k with terms = k · base.terms; 0 for no terms, None if there is no such k."""
    if not terms:
        return 0
    if len(terms) != len(base.terms):
        return None
    variable, weight = base.terms[0]
    if terms.get(variable, 0) % weight:
        return None
    factor = terms.get(variable, 0) // weight
    return factor if all(terms.get(v) == factor * c for v, c in base.terms) else None
