"""What the checkers of words know of products and maxima: each is a variable of its own, by what it is of.

Such a variable may be any integer between the ends that follow from those of its parts, which is more than can come.
Shares no code with `edgeml.proof.words`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["joined_at", "larger_of", "largest", "product", "product_of"]

Line = tuple[tuple[tuple[int, int], ...], int]
"""Terms (variable, factor) in order, and a constant: an exact integer."""


def _ends(words: Any, line: Line) -> tuple[int, int]:
    low, high = words.span(dict(line[0]))
    return low + line[1], high + line[1]


def _stands(words: Any, key: tuple[Any, ...], low: int, high: int) -> int:
    """The variable of what a key says, a product or a maximum, within low … high. Each is found by the other."""
    if key not in words.joined:
        words.joined |= {key: len(words.low), len(words.low): key}
        words.low.append(low)
        words.high.append(high)
    return int(words.joined[key])


def _exact(words: Any, value: Any) -> Line | None:
    """A word read in two's complement; None where it may wrap."""
    whole = words.fit(words.as_form(value), 32, True)
    return None if whole is None else (tuple(sorted((v, c) for v, c in whole[0].items() if c)), whole[1])


def product(words: Any, lines: list[Line]) -> tuple[int, int, int]:
    """The variable of a product of two integers, and its ends."""
    (a, b), (c, d) = (_ends(words, line) for line in lines)
    corners = a * c, a * d, b * c, b * d
    return _stands(words, ("product", *sorted(lines)), min(corners), max(corners)), min(corners), max(corners)


def product_of(words: Any, name: str, taken: list[Any]) -> Any:
    """What `mul` and `mulhs` give of two integers; None where they are not known to be exact."""
    if name not in ("mul", "mulhs") or any(value is None for value in taken):
        return None
    lines = [_exact(words, value) for value in taken]
    if any(line is None for line in lines):
        return None
    made, low, high = product(words, [line for line in lines if line is not None])
    form = words.as_form(0)._replace(terms={made: 1})
    if name == "mul":
        return form
    return words.result("sar", [form, 31]) if low >= -(2**31) and high < 2**31 else None


def largest(words: Any, lines: list[Line]) -> tuple[int | None, int]:
    """The variable of the largest of some integers (None for none), and what is to be added to it.

    What a maximum is of takes its place; what is never larger than another one is left out; what all have in common is
    what is to be added.
    """
    of: set[Line] = set()
    for terms, constant in lines:
        alone = len(terms) == 1 and terms[0][1] == 1
        kind, *inner = words.joined.get(terms[0][0], ("",)) if alone else ("",)
        of |= {(each, less + constant) for each, less in (inner[0] if kind == "maximum" else [(terms, 0)])}
    least = max(_ends(words, line)[0] for line in of)
    may = [line for line in of if _ends(words, line)[1] > least]
    if least not in [_ends(words, line)[0] for line in may]:
        may.append(((), least))
    common = min(constant for _, constant in may)
    if len(may) == 1:
        ((terms, _),) = may
        return (None if not terms else terms[0][0] if terms[0][1] == 1 and len(terms) == 1 else -1), common
    key = "maximum", tuple(sorted((terms, constant - common) for terms, constant in may))
    return _stands(words, key, least - common, max(_ends(words, line)[1] for line in may) - common), common


def larger_of(words: Any, base: Any, column: Any, taken: list[Any]) -> Any:
    """The larger of two words where a choice takes it by the sum `base`; None where it takes another.

    column : not 0 where the first of them is taken.
    """
    lines = [_exact(words, value) for value in taken]
    if lines[0] is None or lines[1] is None:
        return None
    (one, other), above = (dict(line[0]) for line in lines if line is not None), lines[0][1] - lines[1][1]
    if one.keys() & other.keys():
        return None
    terms = {v: one.get(v, 0) - other.get(v, 0) for v in one | other}
    factor = terms.get(base.terms[0][0], 0)
    if factor not in (1, -1) or {v: c for v, c in terms.items() if c} != {v: factor * c for v, c in base.terms}:
        return None
    sums = above + factor * np.arange(base.low, base.high + 1)
    if np.any((sums > 0) & (column == 0)) or np.any((sums < 0) & (column != 0)):
        return None
    made, common = largest(words, [line for line in lines if line is not None])
    form = words.as_form(common % 2**32)
    return None if made == -1 else form if made is None else form._replace(terms={made: 1})


def joined_at(words: Any, v: int, given: dict[int, Any]) -> Any:
    """A product or a maximum where variables have given values; None of another variable, or where it is of others."""
    if v in given or v not in words.joined:
        return given.get(v)
    kind, *parts = words.joined[v]
    columns = []
    for terms, constant in parts[0] if kind == "maximum" else parts:
        taken = [(c, joined_at(words, u, given)) for u, c in terms]
        if any(column is None for _, column in taken):
            return None
        columns.append(constant + sum((c * column for c, column in taken), np.array([0], np.int64)))
    found = columns[0]
    for column in columns[1:]:
        found = np.maximum(found, column) if kind == "maximum" else found * column
    return found
