"""The smallest decision diagram of a function of few bits: how complicated it is, whatever the size of its table."""

from __future__ import annotations

from functools import cache
from itertools import combinations

__all__ = ["decision_nodes", "decision_nodes_in_order", "decision_support"]


def decision_support(table: int, inputs: int) -> int:
    """How many of its inputs a function depends on; bit x of `table`, x their number."""
    return sum(low != high for low, high in (_halves(table, place, inputs) for place in range(inputs)))


@cache
def decision_nodes(table: int, inputs: int) -> int:
    """Nodes of the smallest ordered binary decision diagram with complemented edges, over all orders.

    The nodes that ask for an input, when a set of inputs is left, depend on that set alone (S. J. Friedman and K. J.
    Supowit, Finding the optimal variable ordering for binary decision diagrams, 1990).
    """
    # Of each set of inputs that are left: what the function can be then, over these inputs.
    left = {tuple(range(inputs)): {_one_of_two(table, inputs)}}
    for count in range(inputs - 1, 0, -1):
        for kept in combinations(range(inputs), count):
            gone = next(place for place in range(inputs) if place not in kept)
            before = tuple(sorted((*kept, gone)))
            place = before.index(gone)
            halves = (half for each in left[before] for half in _halves(each, place, count + 1))
            left[kept] = {_one_of_two(half, count) for half in halves}
    fewest: dict[tuple[int, ...], int] = {(): 0}
    for count in range(1, inputs + 1):
        for kept in combinations(range(inputs), count):
            fewest[kept] = min(
                fewest[kept[:place] + kept[place + 1 :]] + sum(_depends(each, place, count) for each in left[kept])
                for place in range(count)
            )
    return fewest[tuple(range(inputs))]


@cache
def decision_nodes_in_order(table: int, inputs: int) -> int:
    """Nodes of its decision diagram with complemented edges that asks for the last input first."""
    functions, nodes = {_one_of_two(table, inputs)}, 0
    for count in range(inputs, 0, -1):
        below: set[int] = set()
        for function in functions:
            low, high = function & (1 << (1 << count - 1)) - 1, function >> (1 << count - 1)
            nodes += low != high
            below.update(_one_of_two(half, count - 1) for half in (low, high))
        functions = below
    return nodes


def _one_of_two(table: int, inputs: int) -> int:
    """The smaller of a function and its complement."""
    return min(table, table ^ ((1 << (1 << inputs)) - 1))


def _depends(table: int, place: int, inputs: int) -> bool:
    low, high = _halves(table, place, inputs)
    return low != high


def _halves(table: int, place: int, inputs: int) -> tuple[int, int]:
    """The tables of the other inputs where this one is 0, and where it is 1."""
    size, low, high = 1 << place, 0, 0
    for block in range(1 << inputs - place - 1):
        piece = table >> (block << place + 1)
        low |= (piece & (1 << size) - 1) << block * size
        high |= (piece >> size & (1 << size) - 1) << block * size
    return low, high
