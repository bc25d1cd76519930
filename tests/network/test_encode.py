"""Inputs as bits, levels and equalities, against the definition written out for single integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import NetworkError
from edgeml.network import Dense, Encode, InputQuantizer, Network, Node, Output, ValueRange, trace
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE
from edgeml.vectors.extremes import extreme_inputs


def _one(rule: int, operand: int, x: int) -> int:
    return {VALUE: x, BIT: x // 2**operand % 2, LEVEL: int(x >= operand), EQUAL: int(x == operand)}[rule]


def _layer(rules: list[int], seed: int, inputs: int = 3, bits: int = 8) -> Encode:
    rng = np.random.default_rng(seed)
    rule = np.array(rules, np.int32)
    operand = np.where(rule == BIT, rng.integers(0, bits, rule.size), rng.integers(-3, 2**bits + 3, rule.size))
    return Encode(rng.integers(0, inputs, rule.size), rule, np.where(rule == VALUE, 0, operand), inputs)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(0, 2**16))
def test_outputs_are_those_of_the_definition_and_lie_exactly_in_the_range(rules: list[int], seed: int) -> None:
    layer = _layer(rules, seed, bits=3)
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 8, 3)
    ends = ValueRange(low, low + rng.integers(0, 8 - low))
    x = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(ends.low, ends.high, strict=True))), -1).reshape(
        -1, 3
    )
    y = layer.evaluate(x.astype(np.int32))
    wanted = [
        [_one(int(r), int(o), int(row[s])) for s, r, o in zip(layer.source, layer.rule, layer.operand, strict=True)]
        for row in x
    ]
    assert np.array_equal(y, wanted)
    found = layer.output_range(ends)
    assert np.array_equal(found.low, y.min(axis=0))
    assert np.array_equal(found.high, y.max(axis=0))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"source": np.array([0, 3])}, "0 … 2"),
        ({"source": np.array([0, -1])}, "0 … 2"),
        ({"rule": np.array([1, 4])}, "0 … 3"),
        ({"rule": np.array([1])}, "must have 2"),
        ({"operand": np.array([31, 0])}, "0 … 30"),
        ({"operand": np.array([-1, 0])}, "0 … 30"),
        ({"rule": np.array([1, 0]), "operand": np.array([1, 1])}, "must be 0"),
        ({"inputs": 0}, "1 …"),
        ({"operand": np.array([0.5, 0.0])}, "integers"),
    ],
)
def test_hostile_fields_are_refused(change: dict[str, object], problem: str) -> None:
    fields = {"source": np.array([0, 1]), "rule": np.array([1, 1]), "operand": np.array([0, 1]), "inputs": 3}
    Encode(**fields)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=problem):
        Encode(**{**fields, **change})  # type: ignore[arg-type]


def test_bits_of_numbers_that_may_be_negative_are_refused() -> None:
    layer = Encode(np.array([0]), np.array([BIT]), np.array([0]), 1)
    with pytest.raises(NetworkError, match="below zero"):
        layer.output_range(ValueRange.uniform(-1, 5, 1))


def test_vectors_reach_the_exact_ends_of_sums_of_bits() -> None:
    """Ends of bytes alone, 0 and 255, reach less than half of it: bits have signs of their own."""
    rng = np.random.default_rng(3)
    source, shift = np.repeat(np.arange(6), 8), np.tile(np.arange(8), 6)
    encode = Encode(source, np.full(48, BIT), shift, 6)
    dense = Dense(rng.integers(-1, 2, (9, 48)), 2, np.zeros(9, np.int32))
    quantizer = InputQuantizer(6, np.ones(1), np.zeros(1), 0, 8, False)
    nodes = (Node("input", quantizer), Node("encode", encode, ("input",)), Node("sums", dense, ("encode",)))
    network = Network("bits", nodes, Output(np.ones(1)))
    sums = trace(network, extreme_inputs(network, rng.integers(0, 256, (4, 6)).astype(np.int32)))["sums"]
    assert (sums.min(), sums.max()) == network.ranges["sums"].bounds
