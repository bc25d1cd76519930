"""What the checker of `words.py` knows of a word that is made of functions of different integers.

Two ways beside those of `word_values.py`: all values of a few integers together, and entries of tables taken apart into
the bits that a mask or a shift parts. Shares no code with `edgeml.proof.words`.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from .word_any import alike, any_followed, at
from .word_joined import product_of
from .word_values import ALL, COLUMNS, Base, Form, Known, Table, Words, form_of

__all__ = ["JointWords"]

_MOST_TOGETHER = 2**8
Column = Any


class JointWords(Words):
    """Words, where those that are functions of few integers are known, too."""

    def result(self, name: str, taken: list[Known]) -> Known:
        """What an operation gives."""
        ways = (self._of_bits, self._apart, super().result, self._together, partial(product_of, self))
        found: Known = any_followed(self, name, taken, ways)
        return found

    def _of_bits(self, name: str, taken: list[Known]) -> Known:
        """Counts of bits, and upper words of products."""
        if name == "ones" and isinstance(taken[0], Form):
            return self._counted(taken[0])
        if name == "mulhu":
            return self._upper(taken[0], taken[1]) if isinstance(taken[1], int) else self._upper(taken[1], taken[0])
        return None

    def assigned(self, variables: set[int], most: int) -> tuple[Base | None, dict[int, Column]]:
        """All values of some variables, and a sum that numbers them."""
        terms, rows = [], 1
        for v in sorted(variables):
            terms.append((v, rows))
            rows *= self.high[v] - self.low[v] + 1
            if rows > most:
                return None, {}
        count = np.arange(rows)
        given = {v: self.low[v] + count // c % (self.high[v] - self.low[v] + 1) for v, c in terms}
        return Base(tuple(terms), *self.span(dict(terms))), given

    def at(self, value: Known, given: dict[int, Column]) -> Column | None:
        """A word where variables have given values; None if it is a function of others, too."""
        return at(self, value, given)

    def same(self, one: Known, other: Known) -> bool:
        """Whether two words are the same sum, or the same for all values of few inputs."""
        return super().same(one, other) or alike(self, one, other)

    def terms_of(self, value: Known) -> dict[int, Column] | None:
        """A word as a constant (by −1) and a function of each variable, as columns of all its values; None if it is
        not such a sum."""
        if not isinstance(value, Form | Table):
            return None if value is None else {-1: value}
        found: dict[int, Column] = {-1: value.constant if isinstance(value, Form) else 0}
        for v, c in value.terms.items() if isinstance(value, Form) else [(-1, 1)]:
            table = value if isinstance(value, Table) else self.made.get(v)
            (only, *others) = [v] if table is None else [u for u, _ in table.base.terms]
            if others:
                return None
            column = np.arange(self.low[only], self.high[only] + 1) if table is None else table.column.astype(np.int64)
            found[only] = found.get(only, 0) + c * column & ALL
        return found

    def _of(self, value: Known) -> set[int]:
        if isinstance(value, Form):
            return set().union(*(self._of(self.made[v]) if v in self.made else {v} for v in value.terms))
        return {v for v, _ in value.base.terms} if isinstance(value, Table) else set()

    def _together(self, name: str, taken: list[Known]) -> Known:
        """All values of the few variables that operands are functions of."""
        if any(value is None for value in taken):
            return None
        base, given = self.assigned(set().union(*map(self._of, taken)), _MOST_TOGETHER)
        columns: list[Column] = [None if base is None else self.at(value, given) for value in taken]
        if base is None or any(column is None for column in columns):
            return None
        made = COLUMNS[name](*(column.astype(np.uint32) for column in columns))
        return self.of_digits(base, np.broadcast_to(made, (base.high - base.low + 1,)))

    def _apart(self, name: str, taken: list[Known]) -> Known:
        """With entries of tables as sums of the parts that the operation takes."""
        form = next((value for value in taken if isinstance(value, Form)), None)
        number = next((value for value in taken if isinstance(value, int)), None)
        if name not in ("and", "shr", "sar") or form is None or number is None:
            return None
        made = [self.made[v].base for v in form.terms if v in self.made]
        if not made or (len(made) == len(form.terms) and all(base == made[0] for base in made)):
            return None  # nothing to be taken apart, or a function of one sum
        mask = number if name == "and" else -1 << number & ALL
        cuts = [bit for bit in range(1, 33) if bit == 32 or (mask >> bit ^ mask >> bit - 1) & 1]
        parted = self._parted(form, cuts)
        return None if parted == form else super().result(name, [parted if each is form else each for each in taken])

    def _counted(self, form: Form) -> Known:
        """How many bits are 1, field by field."""
        total: Known = 0
        for field in [part for each in self._from_zero(form) for part in self._bits_apart(each)]:
            found = self.by_rows("ones", [field]) if isinstance(field, Form | Table) else _bits(field)
            if found is None:
                return None
            total = self.add(total, found)
        return total

    def _from_zero(self, form: Form) -> list[Known]:
        """The fields of a word, each from 0 up."""
        return [self.result("and", [part, (1 << end - first) - 1]) for first, end, part in self._fields(form, set())]

    def _bits_apart(self, field: Known) -> list[Known]:
        """A field as its parts where it is made of several integers, entries of tables bit by bit."""
        if not isinstance(field, Form) or len(field.terms) == 1:
            return [field]
        parted = self._parted(field, list(range(1, 33)))
        return self._from_zero(parted) if isinstance(parted, Form) else [parted]

    def _upper(self, value: Any, factor: Any) -> Known:
        """The upper word of a product of 64 bits."""
        whole = self.fit(value, 32) if isinstance(value, Form) and isinstance(factor, int) else None
        if whole is None:
            return None
        terms, constant = {v: c * factor for v, c in whole[0].items()}, whole[1] * factor
        lower = form_of(terms, constant)
        rest = self.fit(lower, 32) if isinstance(lower, Form) else ({}, lower)
        if rest is None:
            return None
        return form_of({v: c - rest[0].get(v, 0) >> 32 for v, c in terms.items()}, constant - rest[1] >> 32)

    def _parted(self, form: Form, cuts: list[int]) -> Known:
        total: Known = form_of({v: c for v, c in form.terms.items() if v not in self.made}, form.constant)
        for v, c in form.terms.items():
            if v not in self.made:
                continue
            first = (c & -c).bit_length() - 1
            top = max(abs(self.low[v]), abs(self.high[v])).bit_length()
            ends = [0, *(cut - first for cut in cuts if 0 < cut - first < top), 32]
            word = self.made[v].column.astype(np.int32 if self.low[v] < 0 else np.uint32).astype(np.int64)
            for low, high in pairwise(ends):
                part = word >> low if high == 32 else word >> low & (1 << high - low) - 1
                found: Any = Form({v: 1}, 0)
                if len(ends) > 2:
                    found = self.as_form(self.table(self.made[v].base, (part & ALL).astype(np.uint32)) or 0)
                total = self.add(
                    total, form_of({u: n * c << low for u, n in found.terms.items()}, found.constant * c << low)
                )
        return total


def _bits(number: int | None) -> int | None:
    return None if number is None else number.bit_count()
