"""The checker's look at the label: the steps of a search for the first of the largest outputs, each for all places.

Step k of such a search is `select(y[k] > y[place], k, place)`. Where each step, for every place that the one before may
give, takes k just where y_k is larger, the last place is that of the first of the largest. Shares no code with
`edgeml.proof.words`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .word_values import ALL, COLUMNS

__all__ = ["is_first_of_largest"]

Ranges = list[tuple[int, int]]


def is_first_of_largest(operations: list[Any], word: int, outputs: list[int], ranges: Ranges) -> bool:
    """Whether a word is the place of the first of the largest of `outputs`, words that were proved to be the network's
    outputs; ranges : of them, or all of them less the same number."""
    steps: list[tuple[int, int, int, int]] = []
    word = _bare(operations, word)
    while word >= 0:
        name, *taken = operations[word] if operations[word][0] != "slt" else ("select", word, ~1, ~0)
        if name != "select" or min(taken[1], taken[2]) >= 0:
            return False
        direct = taken[1] <= taken[2]  # ~c is the constant c: of two, the later output
        later, before = (taken[1], taken[2]) if direct else (taken[2], taken[1])
        before = _bare(operations, before)
        steps.append((~later, taken[0], int(direct), before))
        word = before
    place, steps = ~word, steps[::-1]
    if place >= len(outputs) or any(high >= ranges[place][0] for _, high in ranges[:place]):
        return False
    may, expected = [place], place + 1
    for k, condition, direct, before in steps:
        if not expected <= k < len(outputs) or not _never(ranges, range(expected, k)):
            return False
        for j in may:
            found = _where(operations, condition, before, j, outputs, {})
            less, never = ranges[j][1] < ranges[k][0], ranges[j][0] >= ranges[k][1]
            known = (less and found == direct) or (never and found == 1 - direct)
            if not known and found != ("less", _value(outputs[j]), _value(outputs[k]), direct):
                return False
        may, expected = [*may, k], k + 1
    return _never(ranges, range(expected, len(outputs)))


def _never(ranges: Ranges, left_out: range) -> bool:
    """Whether outputs that no step looks at are never larger than one before them."""
    return all(any(low >= ranges[k][1] for low, _ in ranges[:k]) for k in left_out)


def _bare(operations: list[Any], word: int) -> int:
    while word >= 0 and operations[word][0] == "add" and -1 in operations[word][1:]:
        a, b = operations[word][1:]
        word = b if a == -1 else a
    return word


def _value(output: int) -> Any:
    return ~output & ALL if output < 0 else ("output", output)


def _where(operations: list[Any], word: int, place: int, j: int, outputs: list[int], found: dict[int, Any]) -> Any:
    """A word where the place is j: a constant, ("output", word), ("less", an output, another, 0 or 1), or None."""
    if word < 0 or word == place:
        return ~word & ALL if word < 0 else j
    if word in outputs:
        return _value(word)
    if word in found:
        return found[word]
    name, *taken = operations[word]
    found[word] = None
    if name not in COLUMNS:
        return None
    one, *others = (
        _where(operations, each, place, j, outputs, found) for each in taken[: 1 if name == "select" else 2]
    )
    if name == "select":
        if isinstance(one, int):
            found[word] = _where(operations, taken[1 if one else 2], place, j, outputs, found)
        return found[word]
    (other,) = others
    if isinstance(one, int) and isinstance(other, int):
        found[word] = _constant(name, one, other)
    elif name == "slt" and all(isinstance(each, int) or (each and each[0] == "output") for each in (one, other)):
        found[word] = "less", one, other, 1
    elif name == "xor" and isinstance(one, tuple) and one[0] == "less" and other == 1:
        found[word] = (*one[:3], 1 - one[3])
    elif name == "add" and 0 in (one, other):
        found[word] = other if one == 0 else one
    return found[word]


def _constant(name: str, a: int, b: int) -> int:
    made = COLUMNS[name](np.array([a], np.uint32), np.array([b], np.uint32))
    return int(made[0])
