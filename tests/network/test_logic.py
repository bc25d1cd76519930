"""Layers of Boolean functions, against the definition written out for single integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError, NetworkError
from edgeml.network import Dense, Encode, InputQuantizer, Logic, Network, Node, Output, ValueRange, file, trace
from edgeml.network.layers.encode import LEVEL
from edgeml.vectors.extremes import extreme_inputs


def _logic(seed: int, inputs: int, outputs: int, fan_in: int) -> Logic:
    rng = np.random.default_rng(seed)
    tables = rng.integers(0, 2, (outputs, 2**fan_in), np.uint8)
    return Logic(rng.integers(0, inputs, (outputs, fan_in)), tables, inputs)


def _by_definition(layer: Logic, row: list[int]) -> list[int]:
    places = [sum(row[s] * 2**j for j, s in enumerate(sources)) for sources in layer.sources.tolist()]
    return [int(layer.tables[o, place]) for o, place in enumerate(places)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 7), st.integers(1, 9), st.integers(1, 6))
def test_outputs_are_those_of_the_definition_and_lie_exactly_in_the_range(
    seed: int, inputs: int, outputs: int, fan_in: int
) -> None:
    layer = _logic(seed, inputs, outputs, fan_in)
    rng = np.random.default_rng(seed)
    low = (rng.random(inputs) < 0.2).astype(np.int64)
    ends = ValueRange(low, np.where(rng.random(inputs) < 0.2, low, 1))
    x = np.stack(np.meshgrid(*map(np.arange, ends.low, ends.high + 1)), -1).reshape(-1, inputs).astype(np.int32)
    y = layer.evaluate(x)
    assert y.dtype == np.int32
    assert np.array_equal(y, [_by_definition(layer, row) for row in x.tolist()])
    found = layer.output_range(ends)
    assert np.array_equal(found.low, y.min(axis=0))
    assert np.array_equal(found.high, y.max(axis=0))


@pytest.mark.parametrize("samples", [1, 7, 63, 64, 65, 4097])
@pytest.mark.parametrize(("outputs", "fan_in"), [(1, 1), (3000, 6)])
def test_samples_in_words_are_those_one_by_one(samples: int, outputs: int, fan_in: int) -> None:
    """Blocks of words and of functions, whole and not."""
    layer = _logic(samples, 40, outputs, fan_in)
    x = np.random.default_rng(1).integers(0, 2, (samples, 40)).astype(np.int32)
    y = layer.evaluate(x)
    assert y.shape == (samples, outputs)
    places = (x[:, layer.sources] << np.arange(fan_in)).sum(axis=2)
    assert np.array_equal(y, layer.tables[np.arange(outputs), places])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sources": np.array([[0, 3]])}, "0 … 2"),
        ({"sources": np.array([[0, -1]])}, "0 … 2"),
        ({"sources": np.array([0, 1])}, "2 dimensions"),
        ({"sources": np.zeros((1, 0), np.int32)}, "non-empty"),
        ({"sources": np.zeros((1, 7), np.int32)}, "1 … 6 inputs, found 7"),
        ({"sources": np.zeros((2**21, 6), np.int8)}, "at most"),
        ({"sources": np.array([[0.0, 1.0]])}, "integers"),
        ({"tables": np.array([[0, 1, 2, 0]])}, "0 … 1"),
        ({"tables": np.array([[0, 1, -1, 0]])}, "0 … 1"),
        ({"tables": np.array([[0, 1]])}, r"\[1, 4\]"),
        ({"tables": np.array([[0, 1, 1, 1]] * 2)}, r"\[1, 4\]"),
        ({"tables": np.array([[False, True, True, True]])}, "integers"),
        ({"inputs": 0}, "1 …"),
        ({"inputs": 2**25}, "1 …"),
        ({"inputs": True}, "1 …"),
    ],
)
def test_hostile_fields_are_refused(change: dict[str, object], problem: str) -> None:
    fields = {"sources": np.array([[0, 2]]), "tables": np.array([[0, 1, 1, 0]], np.uint8), "inputs": 3}
    Logic(**fields)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=problem):
        Logic(**{**fields, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-1, 1)])
def test_inputs_that_may_be_other_than_0_or_1_are_refused(low: int, high: int) -> None:
    layer = Logic(np.array([[0]]), np.array([[1, 0]]), 2)
    ends = ValueRange(np.array([0, low]), np.array([1, high]))
    with pytest.raises(NetworkError, match=f"input 1 may be {low} … {high}"):
        layer.output_range(ends)


def _network(seed: int) -> Network:
    """Thermometer, two layers of functions, sums of groups."""
    rng = np.random.default_rng(seed)
    encode = Encode(np.repeat(np.arange(4), 5), np.full(20, LEVEL), np.tile(np.arange(1, 16, 3), 4), 4)
    groups = np.kron(np.eye(3, dtype=np.int64), np.ones((1, 4), np.int64))
    nodes = (
        Node("input", InputQuantizer(4, np.ones(1), np.zeros(1), 0, 4, False)),
        Node("bits", encode, ("input",)),
        Node("first", _logic(seed, 20, 30, 6), ("bits",)),
        Node("second", Logic(rng.integers(0, 30, (12, 2)), rng.integers(0, 2, (12, 4), np.uint8), 30), ("first",)),
        Node("sums", Dense(groups, 2, np.zeros(3, np.int32)), ("second",)),
    )
    return Network("logic", nodes, Output(np.ones(1)))


def test_a_network_of_logic_comes_out_of_its_file_as_it_went_in() -> None:
    network = _network(5)
    content = file.to_bytes(network)
    again = file.from_bytes(content)
    assert file.to_bytes(again) == content
    layer = again.nodes[2].layer
    assert isinstance(layer, Logic)
    assert layer.tables.dtype == np.uint8
    assert np.array_equal(layer.tables, network.nodes[2].layer.parts()[1]["tables"])


def test_a_file_with_a_source_past_its_inputs_is_refused() -> None:
    content = file.to_bytes(_network(5))
    harmed = content.replace(rb"\"inputs\": 20", rb"\"inputs\": 2 ")
    assert harmed != content
    with pytest.raises(InputError, match=r"layer first: .*sources"):
        file.from_bytes(harmed)


def test_vectors_take_sums_of_logic_to_their_true_ends() -> None:
    """Functions that say whether their inputs agree with a pattern: all agree at inputs that a climb finds."""
    rng = np.random.default_rng(4)
    bits, fan_in, inputs = 8, 6, 9
    encode = Encode(
        np.repeat(np.arange(inputs), bits - 1), np.full(63, LEVEL), np.tile(np.arange(1, bits), inputs), inputs
    )
    tables = np.zeros((12, 64), np.uint8)
    tables[np.arange(12), rng.integers(0, 2, 12) * 63] = 1
    sources = np.stack([rng.choice(inputs, fan_in, replace=False) for _ in range(12)]) * (bits - 1)
    groups = np.kron(np.eye(4, dtype=np.int64), np.ones((1, 3), np.int64))
    nodes = (
        Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 3, False)),
        Node("bits", encode, ("input",)),
        Node("logic", Logic(sources + rng.integers(0, bits - 1, sources.shape), tables, encode.outputs), ("bits",)),
        Node("sums", Dense(groups, 2, np.zeros(4, np.int32)), ("logic",)),
    )
    network = Network("logic", nodes, Output(np.ones(1)))
    pool = rng.integers(0, 8, (4, inputs)).astype(np.int32)
    every = np.stack(np.meshgrid(*[np.array([0, 7], np.int32)] * inputs), -1).reshape(-1, inputs)
    found, begun, true = (trace(network, q)["sums"] for q in (extreme_inputs(network, pool), pool, every))
    assert np.array_equal(found.max(axis=0), true.max(axis=0))
    assert not np.array_equal(begun.max(axis=0), true.max(axis=0))
