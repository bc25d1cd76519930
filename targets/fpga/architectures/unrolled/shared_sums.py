"""How a netlist gets the sums of a dense layer: which terms they share, and the bits of every shared number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .da4ml_graph import da4ml_sums
from .layer_logic import LogicChoices
from .netlist import ZERO, Bit, CellKind, Netlist
from .number import LUTS_PER_BIT, Term
from .reuse import parents_of
from .sharing import Number, SharedSums, cost, count_uses, dissolving, inputs_of, share
from .tables import function_bits
from .value import Value

__all__ = ["number_bits", "parents_first", "sums_of"]

_REUSE_PAYS = 0.97
"""A sum made from another waits for it, which costs registers."""


def sums_of(
    weight: npt.NDArray[np.int64], values: Sequence[Value], constants: list[int], choices: LogicChoices
) -> tuple[SharedSums, list[int | None]]:
    """Shared sums of the rows, and which row each is made from: of its terms and constant, that row's are left out."""
    bounds = [(v.low, v.high) for v in values]
    alone: list[int | None] = [None] * len(weight)
    if choices.adder_graph == "da4ml":
        return da4ml_sums(weight, bounds, constants), alone
    shared = share(weight, bounds, constants, sharing=choices.sharing)
    parents = parents_of(weight, bounds) if choices.sharing and len(weight) else None
    if parents is None:
        return shared, alone
    differences, rest, taken = weight.copy(), list(constants), 0.0
    for row, parent in enumerate(parents):
        if parent is not None:
            differences[row] -= weight[parent]
            rest[row] -= constants[parent]
            taken += LUTS_PER_BIT * int(np.abs(weight[parent]) @ np.array([v.high for v in values])).bit_length()
    reused = share(differences, bounds, rest)
    return (reused, parents) if cost(reused) + taken < _REUSE_PAYS * cost(shared) else (shared, alone)


def parents_first(parents: Sequence[int | None]) -> list[int]:
    """Rows in an order in which each follows the one that it is made from, else ascending."""
    order: dict[int, None] = {}
    for row in range(len(parents)):
        way: list[int] = []
        at: int | None = row
        while at is not None and at not in order:
            way.append(at)
            at = parents[at]
        order.update(dict.fromkeys(reversed(way)))
    return list(order)


def number_bits(netlist: Netlist, shared: SharedSums, values: Sequence[Value], name: str) -> list[list[Bit]]:
    """Bits of every number that is used, directly or by another; small sums of sums are one table."""
    uses = count_uses(shared)
    tables: dict[int, list[int]] = {}
    dissolved: set[int] = set()
    for index in range(len(shared.numbers) - 1, len(values) - 1, -1):
        inner = dissolving(shared.numbers, uses, index) if uses[index] else []
        if not inner:
            continue
        leaves = inputs_of(shared.numbers, uses, index)
        if index in dissolved or leaves is not None:
            dissolved.update(inner)
        if index not in dissolved and leaves is not None:
            tables[index] = list(leaves)
    result: list[list[Bit]] = []
    for index, number in enumerate(shared.numbers):
        note = f"{name} shared {index}{_terms(number, len(values))}"
        if index < len(values):
            result.append(list(values[index].bits[: number.bits]))
        elif not uses[index] or index in dissolved:
            result.append([])
        elif index in tables:
            result.append(_table_sum(netlist, shared.numbers, index, tables[index], result, note))
        else:
            result.append(_two_terms(netlist, number, result, note))
    return result


def _terms(number: Number, inputs: int) -> str:
    """What a number adds, for a comment: x is what the layer takes, s a shared sum, ~ a complement."""

    def text(term: Term) -> str:
        place = f"x{term.number}" if term.number < inputs else f"s{term.number}"
        return f"{'~' if term.inverted else ''}{place}{f' << {term.shift}' if term.shift else ''}"

    return "" if number.a is None or number.b is None else f" = {text(number.a)} + {text(number.b)}"


def _table_sum(
    netlist: Netlist, numbers: Sequence[Number], index: int, leaves: list[int], known: list[list[Bit]], note: str
) -> list[Bit]:
    """A sum of sums as a table of the numbers at its leaves."""
    inputs = [bit for leaf in leaves for bit in known[leaf]]
    width = numbers[index].bits
    totals = []
    for x in range(2 ** len(inputs)):
        left, assigned = x, {}
        for leaf in leaves:
            assigned[leaf] = left & (2 ** numbers[leaf].bits - 1)
            left >>= numbers[leaf].bits
        totals.append(_sum_of(numbers, index, assigned))
    return function_bits(netlist, inputs, totals, width, note)


def _sum_of(numbers: Sequence[Number], index: int, assigned: Mapping[int, int]) -> int:
    """Value of a number, given those of its leaves."""
    if index in assigned:
        return assigned[index]
    total = 0
    for part in (numbers[index].a, numbers[index].b):
        assert part is not None
        value = _sum_of(numbers, part.number, assigned)
        total += (2 ** numbers[part.number].bits - 1 - value if part.inverted else value) << part.shift
    return total


def _two_terms(netlist: Netlist, number: Number, known: list[list[Bit]], note: str) -> list[Bit]:
    assert number.a is not None
    assert number.b is not None
    low_term, high_term = (number.a, number.b) if number.b.shift else (number.b, number.a)
    low = [~bit if low_term.inverted else bit for bit in known[low_term.number]]
    high = [~bit if high_term.inverted else bit for bit in known[high_term.number]]
    shift = high_term.shift
    passing, rest = low[:shift], low[shift:]
    passing += [ZERO] * (shift - len(passing))
    outputs = number.bits - shift
    if not rest or outputs <= 0:
        return [*passing, *high][: number.bits]
    # The complement of a number that is never small has leading zeros: bits above the sum's width add nothing.
    rest, high = rest[:outputs], high[:outputs]
    kind = CellKind.SMALL_ADD if len(rest) + len(high) <= 6 else CellKind.ADD
    return [*passing, *netlist.add(kind, [*rest, *high], (len(rest), len(high), 0), outputs, note)]
