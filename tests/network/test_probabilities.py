"""Probabilities in integers: near softmax, at most 1 together, in the outputs' order, alike at the ends of int32."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.network.probabilities import ONE, Probabilities, probabilities_of


def network(scale: float | list[float], outputs: int = 10, task: str = "classes") -> Network:
    quantizer = InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 8, False)
    dense = Node("fc", Dense(np.ones((outputs, 4), np.int64), 2, np.zeros(outputs, np.int64)), ("input",))
    scales = np.atleast_1d(np.array(scale, np.float64))
    return Network("net", (Node("input", quantizer), dense), Output(scales, task=task))


def made(scale: float, outputs: int = 10) -> Probabilities:
    found = probabilities_of(network(scale, outputs))
    assert found is not None
    return found


@pytest.mark.parametrize("scale", [1e-8, 3e-5, 0.001, 0.01, 0.05, 0.3, 2.0, 1e6])
def test_they_are_near_softmax_and_sum_to_at_most_one(scale: float) -> None:
    """Differences are rounded to half a step of the table, which is no more than 16 ln 2 · 2/255 wide in exponents, or
    the outputs' own; what division and rounding lose is below 2 units and, of many small ones, half a unit each."""
    probabilities = made(scale)
    spread = min(12 / scale, 2**30)
    outputs = np.random.default_rng(1).integers(-int(spread) - 1, int(spread) + 2, (400, 10)).astype(np.int32)
    p = probabilities.evaluate(outputs).astype(np.int64)
    assert p.max() < ONE
    assert (p.sum(axis=1) <= ONE).all()
    exact = np.exp(scale * (outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)))
    exact /= exact.sum(axis=1, keepdims=True)
    relative = np.expm1(2 * scale * (1 << probabilities.shift) / 2) if probabilities.shift else 0.0
    assert (np.abs(p / ONE - exact) <= relative * exact + 8 / ONE).all()
    assert scale * 2**probabilities.shift < 2 * 16 * np.log(2) / 255 or probabilities.shift == 0
    # Never against the order of the outputs: the largest output has the largest probability.
    best = p[np.arange(400), outputs.argmax(axis=1)]
    assert (best == p.max(axis=1)).all()


def test_the_definition_by_hand() -> None:
    """ln 2 a unit: powers of two, and the one division."""
    probabilities = made(float(np.log(2)), 3)
    assert probabilities.shift == 0
    assert probabilities.table[:4].tolist() == [32768, 16384, 8192, 4096]
    assert probabilities.table[15:18].tolist() == [1, 1, 0]  # the float is below ln 2
    # 32768 + 16384 + 8192 = 57344; (2^32 - 1) // 57344 = 74898; 32768 * 74898 >> 17 = 18724
    assert probabilities.evaluate(np.array([[5, 4, 3]], np.int32)).tolist() == [[18724, 9362, 4681]]
    halves = made(float(np.log(2)) / 2**8, 3)
    unit = float(np.log(2)) / 2**8 * 2**halves.shift
    assert halves.shift == 5
    assert halves.table[1] == round(ONE * np.exp(-unit))
    even = halves.evaluate(np.array([[16, 0, 0], [15, 0, 0]], np.int32))
    assert even[1].tolist() == [10922, 10922, 10922]  # 15 of 32 is rounded down, 16 up
    assert even[0, 0] > even[0, 1]


def test_outputs_at_the_ends_of_int32() -> None:
    low, high = -(2**31), 2**31 - 1
    for scale in (1e-12, 1e-9, 0.01, 1e30):
        p = made(scale, 3).evaluate(np.array([[low, high, 0], [low, low, low], [high, high, low]], np.int32))
        assert p[1].tolist() == [10922, 10922, 10922]
        assert p[0].argmax() == 1
        assert p[2, 0] == p[2, 1] >= p[2, 2]


def test_the_most_outputs_that_there_may_be() -> None:
    equal = made(0.1, 2**16).evaluate(np.zeros((1, 2**16), np.int32))
    assert set(equal.ravel().tolist()) == {0}
    one = np.zeros((1, 2**16), np.int32)
    one[0, 9] = 10**6
    assert made(0.1, 2**16).evaluate(one)[0, 9] == ONE - 1


@pytest.mark.parametrize("given", [network([0.1] * 9 + [0.2]), network(0.1, task="values"), network(0.1, 2**16 + 1)])
def test_outputs_that_become_none(given: Network) -> None:
    assert probabilities_of(given) is None
    same = dataclasses.replace(given, output=Output(np.array([0.1]), task="classes"))
    assert (probabilities_of(same) is None) == (given.output_size > 2**16)
