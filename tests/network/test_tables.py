"""Sums of tables, against one-hot inputs and a dense layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import NetworkError
from edgeml.network import Dense, Encode, InputQuantizer, Network, Node, Output, Tables, ValueRange, trace
from edgeml.network.layers.encode import EQUAL
from edgeml.vectors.extremes import extreme_inputs


def _tables(seed: int, features: int, values: int, outputs: int, bits: int = 4) -> Tables:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, features * values + 1))
    entries = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (rows, outputs))
    picked = rng.integers(0, rows, (features, values))
    source = rng.permutation(features + 1)[:features]
    return Tables(entries, bits, picked, source, rng.integers(-99, 100, outputs), features + 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 5), st.integers(1, 9), st.integers(1, 6))
def test_tables_are_a_dense_layer_of_one_hot_inputs(seed: int, features: int, values: int, outputs: int) -> None:
    layer = _tables(seed, features, values, outputs)
    one_hot = Encode(
        np.repeat(layer.source, values),
        np.full(features * values, EQUAL),
        np.tile(np.arange(values), features),
        layer.inputs,
    )
    dense = Dense(layer.entries[layer.rows].reshape(-1, outputs).T, layer.entry_bits, layer.bias)
    x = np.random.default_rng(seed).integers(0, values, (50, layer.inputs)).astype(np.int32)
    assert np.array_equal(layer.evaluate(x), dense.evaluate(one_hot.evaluate(x)))


def test_the_range_is_that_of_the_values_that_are_reached() -> None:
    layer = _tables(5, 3, 4, 5)
    ends = ValueRange(np.array([0, 1, 2, 1]), np.array([3, 2, 2, 3]))
    grid = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(ends.low, ends.high, strict=True))), -1)
    y = layer.evaluate(grid.reshape(-1, 4).astype(np.int32))
    found = layer.output_range(ends)
    assert np.array_equal(found.low, y.min(axis=0))
    assert np.array_equal(found.high, y.max(axis=0))
    for low, high in ((-1, 3), (0, 4)):
        with pytest.raises(NetworkError, match="rows for 0 … 3"):
            layer.output_range(ValueRange.uniform(low, high, 4))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rows": np.array([[0, 2]])}, "0 … 1"),
        ({"rows": np.array([[0, -1]])}, "0 … 1"),
        ({"source": np.array([2])}, "0 … 1"),
        ({"source": np.array([0, 1])}, "must have 1"),
        ({"bias": np.array([0])}, "must have 3"),
        ({"entry_bits": 9}, "1 … 8"),
        ({"entry_bits": 2}, "-2 … 1"),
        ({"entry_bits": 1}, "-1 … 1"),
        ({"inputs": 0}, "1 …"),
        ({"rows": np.zeros((1, 2**25), np.int64)}, "holds more"),
    ],
)
def test_hostile_fields_are_refused(change: dict[str, object], problem: str) -> None:
    fields: dict[str, object] = {
        "entries": np.array([[1, 0, 2], [-1, 3, 1]]),
        "entry_bits": 3,
        "rows": np.array([[0, 1]]),
        "source": np.array([1]),
        "bias": np.array([0, 1, 2]),
        "inputs": 2,
    }
    Tables(**fields)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=problem):
        Tables(**{**fields, **change})  # type: ignore[arg-type]


def test_vectors_reach_the_exact_ends_of_sums_of_tables() -> None:
    layer = _tables(7, 6, 200, 8)
    quantizer = InputQuantizer(7, np.ones(1), np.zeros(1), 0, 7, False)
    network = Network("tables", (Node("input", quantizer), Node("sums", layer, ("input",))), Output(np.ones(1)))
    pool = np.random.default_rng(1).integers(0, 128, (4, 7)).astype(np.int32)
    sums = trace(network, extreme_inputs(network, pool))["sums"]
    assert (sums.min(), sums.max()) == network.ranges["sums"].bounds
