"""What the checker of `words.py` knows of choices: whether any of several words is not 0, and where two words differ.

Kernels pass over what is silent by x1 | x2 | …, of which only this is known: it is 0 where the sum of all is. Shares
no code with `edgeml.proof.words`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .word_joined import joined_at, larger_of

__all__ = ["alike", "any_followed", "at", "chosen_of", "plain"]


class AnyOf(NamedTuple):
    """A word that is 0 just where Σ terms + constant is, which is never negative; ones : the bits that can be 1."""

    terms: dict[int, int]
    constant: int
    ones: int


def plain(value: Any) -> Any:
    """What claims may take of a word: of bits of several words together nothing."""
    return None if isinstance(value, AnyOf) else value


def any_followed(words: Any, name: str, taken: list[Any], ways: Sequence[Callable[[str, list[Any]], Any]]) -> Any:
    """What an operation gives: by the first of several ways that knows it, else as bits of several words together."""
    if not any(isinstance(value, AnyOf) for value in taken):
        for way in ways:
            found = way(name, taken)
            if found is not None:
                return found
    elif name != "or":
        return _when_zero(words, name, taken)
    return _any_of(words, taken) if name == "or" else None


def chosen_of(words: Any, taken: list[Any], difference: Any) -> Any:
    """What a choice gives between two words whose difference is not a constant; None where it is not known."""
    base = words.base_of(taken[0])
    column = None if base is None else words.over(taken[0], base)
    if column is None:
        return None
    always = _same_at_an_end(words, base, column, difference)
    if always:
        return words.as_form(taken[always])
    larger = larger_of(words, base, column, taken[1:]) if words.maxima else None
    if larger is not None:
        return words.as_form(larger)
    part = words.by_rows("select", [taken[0], difference, 0])
    return None if part is None else words.add(taken[2], part)


def _any_of(words: Any, taken: list[Any]) -> Any:
    """The bits of two words together; None if it is not known of both where they are 0."""
    terms: dict[int, int] = {}
    constant = ones = 0
    for value in taken:
        if value is None:
            return None
        if isinstance(value, AnyOf):
            part: Any = value
        else:
            whole = words.fit(words.as_form(value), 32)
            if whole is None:
                return None
            part = AnyOf(whole[0], whole[1], words.ones(value))
        terms = {v: terms.get(v, 0) + part.terms.get(v, 0) for v in terms | part.terms}
        constant, ones = constant + part.constant, ones | part.ones
    return AnyOf({v: c for v, c in terms.items() if c}, constant, ones)


def _when_zero(words: Any, name: str, taken: list[Any]) -> Any:
    """A comparison of such a word with 0, or the same word behind a mask that leaves all of it; None of all else."""
    (found, *_), rest = [v for v in taken if isinstance(v, AnyOf)], [v for v in taken if isinstance(v, int)]
    if name == "and" and rest and found.ones & ~rest[0] == 0:
        return found
    if name != "eq" or rest != [0]:
        return None
    if not found.terms:
        return int(found.constant == 0)
    base, factor = words.base(found.terms)
    if base is None:
        return None
    sums = np.arange(base.low, base.high + 1) * factor + found.constant
    return words.table(base, (sums == 0).astype(np.uint32))


def _same_at_an_end(words: Any, base: Any, column: Any, difference: Any) -> int | None:
    """Which of two words a choice always gives, 1 or 2: the other is taken in one row alone, at an end of the sum where
    each variable is at an end, and their difference is 0 there. column : not 0 where the first is taken."""
    for which, taken in ((2, column != 0), (1, column == 0)):
        if np.count_nonzero(taken) != 1 or not (taken[0] or taken[-1]):
            continue
        at: dict[int, int] = {}
        _enter(words, base, -1 if taken[0] else 1, at)
        known = all(v in at for v in difference.terms)
        if known and (sum(at[v] * c for v, c in difference.terms.items()) + difference.constant) % 2**32 == 0:
            return which
    return None


def _enter(words: Any, base: Any, sign: int, at: dict[int, int]) -> None:
    """Enter what variables are at the least (sign −1) or largest of a sum, through tables with one such row."""
    for v, c in base.terms:
        at[v] = words.low[v] if c * sign < 0 else words.high[v]
        if v in words.made:
            inner, column = words.made[v]
            taken = column == np.uint32(at[v] % 2**32)
            if np.count_nonzero(taken) == 1 and (taken[0] or taken[-1]):
                _enter(words, inner, -1 if taken[0] else 1, at)


def at(words: Any, value: Any, given: dict[int, Any]) -> Any:
    """A word where variables have given values, a column; None if it is a function of others, too."""
    if value is None or isinstance(value, int):
        return None if value is None else np.array([value])
    table = hasattr(value, "base")
    total: Any = 0 if table else value.constant
    for v, c in value.base.terms if table else value.terms.items():
        part = joined_at(words, v, given)
        part = at(words, words.made.get(v), given) if part is None else part
        if part is None:
            return None
        if v in words.made and v not in given and words.low[v] < 0:
            part = part.astype(np.uint32).astype(np.int32).astype(np.int64)
        total = total + c * part if table else total + c * part & 2**32 - 1
    return value.column[total - value.base.low].astype(np.int64) if table else total


def alike(words: Any, one: Any, other: Any) -> bool:
    """Whether two words are the same for all values of the few inputs that they are made of."""
    inputs: set[int] = set()
    waiting = [one, other]
    while waiting:
        value = waiting.pop()
        if value is None:
            return False
        if not isinstance(value, int):
            terms = {v for v, _ in (value.base.terms if hasattr(value, "base") else value.terms.items())}
            waiting += [words.made[v] for v in terms if v in words.made]
            inputs |= {v for v in terms if v not in words.made}
    base, given = words.assigned(inputs, 2**16)
    columns = [at(words, value, given) for value in (one, other)]
    return base is not None and not np.any(columns[0] != columns[1])
