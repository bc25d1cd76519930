"""Functions of seven or eight bits as tables of at most six: some of the inputs tell classes apart, and the results
depend on the class and on the other inputs.

Of a function's table, a row for each number of the chosen inputs, equal rows are one class; c bits number the classes.
That is c tables and one for each result, if the second see at most six bits. Inputs may be seen by both: then only rows
that are alike in these need to be told apart. Weighted sums against thresholds have few classes: two or three tables in
the place of an adder. (R. L. Ashenhurst, The decomposition of switching functions, 1957; J. P. Roth and R. M. Karp,
Minimization over Boolean graphs, 1962.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from .netlist import Bit, Netlist
from .tables import function_bits

__all__ = ["MOST_INPUTS", "MOST_RESULTS", "decomposed_bits"]

MOST_INPUTS = 8
MOST_RESULTS = 2
"""Functions together: the row of one number of three inputs is a word of 64 bits then."""
_TABLE = 6

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Parts:
    """How functions of the same inputs are made.

    Parameters
    ----------
    first, second : positions of the inputs of the first tables, and of the second beside the code.
    code : each bit of the code of a class, by number of the first inputs.
    results : each function, by number of the second inputs and, above it, the code; 0 for codes that do not come.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    code: tuple[tuple[int, ...], ...]
    results: tuple[tuple[int, ...], ...]

    @property
    def tables(self) -> int:
        """Of at most six inputs, in all."""
        return len(self.code) + len(self.results)


def decomposed_bits(
    netlist: Netlist, inputs: Sequence[Bit], results: Sequence[int], width: int, note: str
) -> list[Bit]:
    """The lowest `width` bits of results[x], x the number of the inputs, as `function_bits` gives them; from tables of
    six bits if there are seven or eight inputs and at most two bits of results."""
    if not _TABLE < len(inputs) <= MOST_INPUTS or width > MOST_RESULTS:
        return function_bits(netlist, inputs, results, width, note)
    planes = [tuple(int(result) >> k & 1 for result in results) for k in range(width)]
    made: dict[tuple[int, ...], Bit] = {}
    large = []
    for plane in dict.fromkeys(planes):
        places = _needed(plane)
        if len(places) <= _TABLE:
            made[plane] = function_bits(netlist, [inputs[p] for p in places], _over(plane, places), 1, note)[0]
        else:
            large.append(plane)
    together = _parts(tuple(large)) if large else None
    apart = [_parts((plane,)) for plane in large]
    ways = [together] if together and together.tables <= sum(each.tables for each in apart if each) else apart
    bits = [bit for way in ways if way is not None for bit in _made(netlist, inputs, way, note)]
    made.update(zip(large, bits, strict=True))
    return [made[plane] for plane in planes]


def _needed(plane: Sequence[int]) -> list[int]:
    """Positions of the inputs that a function depends on."""
    table = np.array(plane)
    numbers = np.arange(len(table))
    return [p for p in range(len(table).bit_length() - 1) if (table != table[numbers ^ 1 << p]).any()]


def _over(plane: Sequence[int], places: Sequence[int]) -> list[int]:
    """A function by the number of the inputs that it depends on."""
    return [plane[sum((x >> k & 1) << p for k, p in enumerate(places))] for x in range(1 << len(places))]


@lru_cache(maxsize=4096)
def _parts(planes: tuple[tuple[int, ...], ...]) -> _Parts | None:
    """The fewest tables for functions of the same inputs; of equal ones those of fewest entries, which parts with
    smaller lookup tables have for less. None if they have too many classes together."""
    count = len(planes[0]).bit_length() - 1
    values = np.zeros(1 << count, np.uint64)
    for k, plane in enumerate(planes):
        values |= np.array(plane, np.uint64) << np.uint64(k)
    found: list[tuple[int, int, tuple[int, ...], tuple[int, ...]]] = []
    for size in range(count - _TABLE + 1, _TABLE + 1):
        words = _words(values, count, size, len(planes))
        for shared in range(_TABLE - (count - size)):
            if shared and size < _TABLE:
                break  # six inputs of which more are shared are as good
            grouped = words[:, _grouped(size, shared)]  # [chosen, shared, number of the shared, of the others]
            classes = _different(grouped).max(axis=2)
            for chosen, among in np.argwhere(classes == classes.min())[:1].tolist():
                bits = (int(classes[chosen, among]) - 1).bit_length()
                seen = count - size + shared + bits
                if seen <= _TABLE:
                    inputs = _combinations(count, size)[chosen]
                    kept = tuple(inputs[k] for k in _combinations(size, shared)[among])
                    found.append((bits, (bits << size) + (len(planes) << seen), inputs, kept))
    if not found:
        return None
    bits, _, first, shared_inputs = min(found)
    return _numbered(planes, first, shared_inputs, bits)


@cache
def _combinations(count: int, size: int) -> list[tuple[int, ...]]:
    return list(combinations(range(count), size))


def _number(places: Sequence[int], inner: Sequence[int]) -> Places:
    """Numbers of inputs by the number of those at `places` (first axis) and at `inner` (second)."""

    def spread(positions: Sequence[int]) -> Places:
        numbers = np.arange(1 << len(positions), dtype=np.int64)
        return np.asarray(sum(((numbers >> k & 1) << p for k, p in enumerate(positions)), np.zeros_like(numbers)))

    return np.asarray(spread(places)[:, None] + spread(inner))


@cache
def _grouped(count: int, size: int) -> Places:
    """For each choice of inputs the numbers of all, by those and the rest [choices, 2^size, 2^(count − size)]."""
    return np.array([_number(each, [p for p in range(count) if p not in each]) for each in _combinations(count, size)])


def _words(values: Words, count: int, size: int, width: int) -> Words:
    """For each choice of inputs the row of each of their numbers, `width` bits for each number of the rest
    [choices, 2^size]."""
    by_row = values[_grouped(count, size)]
    places = np.arange(by_row.shape[2], dtype=np.uint64) * np.uint64(width)
    return np.asarray((by_row << places).sum(axis=2, dtype=np.uint64))


def _different(words: Words) -> Places:
    """How many different words there are along the last axis."""
    ordered = np.sort(words, axis=-1)
    return np.asarray(1 + (ordered[..., 1:] != ordered[..., :-1]).sum(axis=-1))


def _numbered(planes: Sequence[Sequence[int]], first: tuple[int, ...], shared: tuple[int, ...], bits: int) -> _Parts:
    """With codes in the order of the rows, in which those of sums stand; neighbours differ in one bit."""
    count = len(planes[0]).bit_length() - 1
    rest = tuple(p for p in range(count) if p not in first)
    second = (*rest, *shared)
    codes = [0] * (1 << len(first))
    results = [[0] * (1 << len(second) + bits) for _ in planes]
    others = [p for p in first if p not in shared]
    below = _number(others, rest).tolist()
    for group, start in enumerate(_number(shared, ()).ravel().tolist()):
        rows = [tuple(tuple(plane[start + x] for x in numbers) for plane in planes) for numbers in below]
        for place, row in enumerate(sorted(set(rows), key=lambda row: [plane[::-1] for plane in row])):
            code = place ^ place >> 1
            for function, entries in enumerate(row):
                for number, entry in enumerate(entries):
                    results[function][(code << len(shared) | group) << len(rest) | number] = entry
            for numbers, other in zip(below, rows, strict=True):
                if other == row:
                    codes[_among(start + numbers[0], first)] = code
    told = tuple(tuple(code >> k & 1 for code in codes) for k in range(bits))
    return _Parts(first, second, told, tuple(map(tuple, results)))


def _among(number: int, places: Sequence[int]) -> int:
    """The number of the inputs at some places, of the number of all."""
    return sum((number >> p & 1) << k for k, p in enumerate(places))


def _made(netlist: Netlist, inputs: Sequence[Bit], parts: _Parts, note: str) -> list[Bit]:
    """The bits of the functions."""
    first = [inputs[p] for p in parts.first]
    code = [
        function_bits(netlist, first, bit, 1, f"{note}: bit {k} of their class")[0] for k, bit in enumerate(parts.code)
    ]
    second = [*(inputs[p] for p in parts.second), *code]
    return [function_bits(netlist, second, entries, 1, note)[0] for entries in parts.results]
