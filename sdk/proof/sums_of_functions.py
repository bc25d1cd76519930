"""That bits made from a layer's inputs are a sum of functions of those inputs, a few inputs at a time.

A form over bits of the inputs and bits that are made from them alone is compared with Σ terms. Inputs whose bits one
bit of the form takes together are looked at together, in all rows that can come: there the form's part less the terms
of these inputs must be a constant. In a form, a term stands as a symbol, a negative number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .circuit import Circuit, Dependence, all_rows
from .known_ranges import MOST_ROWS, columns_of
from .operand import Operand
from .statement import Column
from .sums import Form, Piece

__all__ = ["Term", "pieces_of_terms", "symbol"]


@dataclass(frozen=True, eq=False)
class Term:
    """A function of one value that feeds a layer; `symbol` stands for it in forms."""

    symbol: int
    values: Callable[[Column], Column]
    operand: Operand


def symbol(channel: int, source: int, sources: int) -> int:
    """What stands for the function of a source that a channel adds, the layer having so many sources."""
    return ~(channel * sources + source)


def pieces_of_terms(
    circuit: Circuit, form: Form, behind: Mapping[int, frozenset[int]], terms: Sequence[Term], width: int
) -> list[Piece]:
    """Pieces with the terms' symbols among their inputs, modulo 2^width, as far as there are any.

    behind : of each bit of the form that is made from inputs' bits, those bits.
    """
    needed = {bit: set(behind.get(bit, (bit,))) for bit in form if bit > 1}
    parts = _connected([*needed.values(), *(term.operand.leaves for term in terms)])
    pieces = []
    for leaves in parts:
        bits = {bit: form[bit] for bit, taken in needed.items() if taken & leaves}
        own = [term for term in terms if term.operand.leaves & leaves]
        piece = _piece(circuit, tuple(sorted(leaves)), bits, behind, own, width)
        if piece is not None:
            pieces.append(piece)
    for term in terms:
        if not term.operand.leaves:  # of a constant
            value = int(term.values(term.operand.value({}, 1))[0])
            pieces.append(Piece(width, "rows", (), ((term.symbol, 1), (1, -value))))
    return pieces


def _connected(sets: Sequence[set[int]]) -> list[set[int]]:
    """The unions of sets that share something, directly or through others."""
    parts: list[set[int]] = []
    for each in sets:
        joined = set(each)
        apart = []
        for part in parts:
            if part & joined:
                joined |= part
            else:
                apart.append(part)
        parts = [*apart, joined] if joined else apart
    return parts


def _piece(
    circuit: Circuit,
    leaves: tuple[int, ...],
    bits: Form,
    behind: Mapping[int, frozenset[int]],
    terms: Sequence[Term],
    width: int,
) -> Piece | None:
    """Σ coefficient · bit − Σ terms is a constant in all rows that can come; None if not, or of too many bits."""
    if len(leaves) > MOST_ROWS:
        return None
    patterns, mask = all_rows(len(leaves))
    count = 1 << len(leaves)
    columns = dict(zip(leaves, columns_of(patterns, count), strict=True))
    can: npt.NDArray[np.bool_] = np.ones(count, bool)
    for term in terms:
        can &= term.operand.can(columns, count)
    try:
        rows = circuit.rows(list(bits), dict(zip(leaves, patterns, strict=True)), mask)
    except Dependence:
        return None
    total = np.zeros(count, np.int64)
    for factor, column in zip(bits.values(), columns_of(rows, count), strict=True):
        total += factor * column
    found = total[can]
    for term in terms:
        found -= term.values(term.operand.value(columns, count)[can])
    constant = int(found[0])
    if ((found - constant) & ((1 << width) - 1)).any():
        return None
    outputs = tuple((bit, value) for bit, value in bits.items() if bit in behind)
    inputs = [(leaf, -bits.get(leaf, 0)) for leaf in leaves]
    symbols = [(term.symbol, 1) for term in terms]
    return Piece(width, "rows", outputs, (*inputs, *symbols, (1, constant)))
