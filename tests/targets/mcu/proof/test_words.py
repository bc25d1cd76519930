"""What is known of a word holds for every value of the variables: random operations, for all inputs."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

from edgeml.proof.checkers.word_values import Words
from edgeml.proof.words.dataflow import Dataflow, Node
from edgeml.proof.words.values import Unknown

NAMES = ("add", "sub", "mul", "and", "or", "xor", "shl", "shr", "sar", "slt", "ult", "eq", "select", "mulhu", "mulhs")


def random_flow(generator: np.random.Generator) -> tuple[Dataflow, list[Node]]:
    flow = Dataflow()
    flow.space.maxima = bool(generator.integers(2))
    inputs = [flow.input(-int(generator.integers(0, 9)), int(generator.integers(1, 9)), 0) for _ in range(2)]
    words: list = list(inputs)
    for _ in range(24):
        name = str(generator.choice(NAMES))
        constant = int(generator.choice([0, 1, 2, 3, 7, 8, 31, 32, 40, 255, 0xFFFF, 0x8000_0000, 0xFFFF_FFFF]))
        taken = [words[int(generator.integers(len(words)))] for _ in range(3)]
        if name in ("shl", "shr", "sar"):
            words.append(flow.make(name, taken[0], constant % 48))
        elif name == "select":
            words.append(flow.make(name, flow.make("slt", taken[0], taken[1]), taken[1], taken[2]))
        else:
            words.append(flow.make(name, taken[0], constant if generator.integers(2) else taken[1]))
    return flow, [word for word in words if isinstance(word, Node)]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_known_of_a_word_holds_for_all_inputs(seed):
    for part in range(6):
        flow, words = random_flow(np.random.default_rng([seed, part]))
        spans = [range(low, high + 1) for name, low, high in flow.operations[:2]]
        rows = np.array([(a, b) for a in spans[0] for b in spans[1]])
        columns = flow.columns(lambda number, known, rows=rows: rows[:, number].astype(np.uint32))
        numbers = {word.number for word in words}
        checked = Words(
            {"operations": [list(each) for each in flow.operations], "facts": [], "maxima": flow.space.maxima}, numbers
        )
        for word in words:
            real = np.broadcast_to(columns[word.number], (len(rows),))
            values = {0: rows[:, 0], 1: rows[:, 1]}
            if not isinstance(word.value, Unknown):
                assert np.array_equal(evaluated(word.value, flow.space.made_of | flow.space.joined, values), real), (
                    word.number
                )
            known = checked.value(word.number)
            if known is not None:
                assert np.array_equal(evaluated(known, checked.made | checked.joined, values), real), word.number


def evaluated(value, made, values):
    """A word for each row of the variables."""
    if isinstance(value, int):
        return np.full(len(values[0]), value, np.uint32)
    if hasattr(value, "column"):
        sums = sum(c * variable(v, made, values) for v, c in value.base.terms)
        return value.column[sums - value.base.low]
    total = sum(c * variable(v, made, values) for v, c in value.terms.items()) + value.constant
    return (total & 0xFFFF_FFFF).astype(np.uint32)


def variable(number, made, values):
    if number in values:
        return values[number]
    if isinstance(made[number], tuple) and isinstance(made[number][0], str):
        name, *parts = made[number]
        lines = parts[0] if name == "maximum" else parts
        sums = [sum(c * variable(v, made, values) for v, c in terms) + constant for terms, constant in lines]
        return reduce(np.maximum if name == "maximum" else np.multiply, sums)
    return evaluated(made[number], made, values).astype(np.int32).astype(np.int64)
