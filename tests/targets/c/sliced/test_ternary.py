"""Boolean functions as operations of three inputs: the same functions, in few operations."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from edgeml.targets.c.sliced.ternary import PAIRS, Operations, expression, operations_of, reordered


def value(made: Operations, x: int) -> int:
    """By definition."""
    if made.result is None:
        return made.constant
    values = [x >> place & 1 for place in range(made.inputs)]

    def of(reference: int) -> int:
        return 1 - values[~reference] if reference < 0 else values[reference]

    for code, a, b, c in made.steps:
        values.append(code >> (4 * of(a) + 2 * of(b) + of(c)) & 1)
    return of(made.result)


def test_operations_are_the_function() -> None:
    """All of up to three inputs; of more random ones, and some that depend on few of their inputs."""
    generator = np.random.default_rng(0)
    cases = [(table, inputs) for inputs in range(4) for table in range(1 << (1 << inputs))]
    for _ in range(150):
        inputs = int(generator.integers(4, 7))
        bits = generator.integers(0, 2, 1 << inputs)
        if generator.random() < 0.6:
            number = np.arange(1 << inputs) & int(generator.integers(1 << inputs))
            bits = bits[number]
        cases.append((sum(int(bit) << x for x, bit in enumerate(bits)), inputs))
    for table, inputs in cases:
        made = operations_of(table, inputs)
        assert sum(value(made, x) << x for x in range(1 << inputs)) == table
        assert len(made.steps) <= (0, 1, 1, 1, 3, 7, 15)[inputs]


def test_sums_that_reach_a_level_take_few_operations() -> None:
    """Of six weighted inputs: what training makes is like that."""
    generator = np.random.default_rng(1)
    bits = np.arange(64)[:, None] >> np.arange(6) & 1
    counts = []
    for _ in range(40):
        weight = generator.normal(size=6)
        reached = bits @ weight > weight.sum() / 2
        counts.append(len(operations_of(sum(int(r) << x for x, r in enumerate(reached)), 6).steps))
    assert np.mean(counts) <= 6


def test_expressions_are_the_codes() -> None:
    words = {"a": 0xF0, "b": 0xCC, "c": 0xAA}
    for code in range(256):
        assert eval(expression(code), {}, words) & 0xFF == code


def test_an_operation_may_take_its_inputs_in_any_order() -> None:
    for order in permutations(range(3)):
        for code in range(0, 256, 5):
            for values in product((0, 1), repeat=3):
                a, b, c = (values[place] for place in order)
                x, y, z = values
                assert reordered(code, order) >> (4 * a + 2 * b + c) & 1 == code >> (4 * x + 2 * y + z) & 1


def test_pairs_are_one_instruction_of_two_inputs() -> None:
    assert len(PAIRS) == 15
    assert all(len(expression(code).replace("~", "").split()) == 3 for code in PAIRS)
