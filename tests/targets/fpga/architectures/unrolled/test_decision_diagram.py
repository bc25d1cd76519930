"""Decision diagrams: known sizes, and the smallest of all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from edgeml.targets.fpga.architectures.unrolled.decision_diagram import decision_nodes, decision_support


def table(rule: str, inputs: int) -> int:
    """A function by the number of ones among its inputs, or by their first pairs."""
    found = 0
    for x in range(1 << inputs):
        bits = [x >> k & 1 for k in range(inputs)]
        value = {
            "and": all(bits),
            "parity": sum(bits) % 2,
            "half": sum(bits) * 2 > inputs,
            "pairs": any(bits[k] and bits[k + inputs // 2] for k in range(inputs // 2)),
        }[rule]
        found |= int(value) << x
    return found


@pytest.mark.parametrize(
    ("rule", "inputs", "nodes"),
    [("and", 6, 6), ("parity", 6, 6), ("half", 3, 4), ("half", 5, 9), ("pairs", 6, 6)],
)
def test_known_functions_have_the_nodes_that_are_known(rule: str, inputs: int, nodes: int) -> None:
    """Pairs that are multiplied take two nodes each in the best order, twice as many and more in the worst."""
    assert decision_nodes(table(rule, inputs), inputs) == nodes
    assert decision_support(table(rule, inputs), inputs) == inputs


def nodes_in_order(values: tuple[int, ...], order: tuple[int, ...]) -> int:
    """Different functions that depend on the input asked next, complements alike; asked in this order."""
    cube = np.array(values).reshape(2, 2, 2, 2).transpose(order)
    count = 0
    for depth in range(4):
        rows = cube.reshape(1 << depth, 2, -1)
        seen = {min(row.tobytes(), (1 - row).tobytes()) for row in rows if not np.array_equal(row[0], row[1])}
        count += len(seen)
    return count


def test_the_smallest_of_all_orders_is_found() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        values = tuple(rng.integers(0, 2, 16).tolist())
        number = sum(value << x for x, value in enumerate(values))
        assert decision_nodes(number, 4) == min(nodes_in_order(values, order) for order in permutations(range(4)))


def test_inputs_that_do_not_matter_have_no_nodes() -> None:
    assert decision_support(0, 6) == decision_nodes(0, 6) == 0
    lowest = sum((x & 1) << x for x in range(64))
    assert decision_support(lowest, 6) == decision_nodes(lowest, 6) == 1
