"""`Shared`: what it computes, its ranges, its file, and that its expansion to whole tensors is the same function."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError, NetworkError
from edgeml.network import (
    Dense,
    InputQuantizer,
    Layer,
    Lookup,
    Network,
    Node,
    Output,
    Requantize,
    Shared,
    Threshold,
    ValueRange,
    expanded,
    file,
    simulate,
    trace,
)
from edgeml.network.reduction import reduced


def _chain(random: np.random.Generator, width: int, length: int) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for place in range(length):
        kind = random.choice(["dense", "threshold", "requantize", "lookup"]) if place else random.choice(["dense", ""])
        if kind == "dense":
            bits = int(random.integers(1, 5))
            outputs = int(random.integers(1, 5))
            weight = random.choice([-1, 1], (outputs, width)) if bits == 1 else random.integers(-2, 2, (outputs, width))
            bias = random.integers(-9, 9, outputs)
            layers.append(Dense(weight, bits, bias, int(random.integers(-2, 3))))
            width = outputs
        elif kind == "threshold":
            layers.append(Threshold(np.sort(random.integers(-30, 30, (width, 3)), axis=1), -1))
        elif kind == "requantize":
            multiplier = random.integers(2**30, 2**31 - 1, width)
            layers.append(Requantize(multiplier, np.full(width, -2), "double_rounding"))
        elif kind == "lookup" and layers and isinstance(layers[-1], Threshold | Requantize):
            layers.append(Lookup(random.integers(-9, 9, 512), -256))
    return tuple(layers)


def _network(seed: int) -> Network:
    random = np.random.default_rng(seed)
    inputs, positions, width = (int(n) for n in random.integers(1, 7, 3))
    gather = random.integers(-1, inputs, (positions, width)).astype(np.int32)
    shared = Shared(_chain(random, width, int(random.integers(0, 5))), gather, inputs, int(random.integers(-3, 4)))
    outputs = positions * shared.sizes[-1]
    last = Dense(random.integers(-2, 2, (3, outputs)), 2, random.integers(-5, 5, 3))
    nodes = (
        Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 3, True)),
        Node("convolution", shared, ("input",)),
        Node("sums", last, ("convolution",)),
    )
    return Network("net", nodes, Output(np.ones(1)))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_its_expansion_its_file_and_its_reduction_within_its_ranges(seed: int) -> None:
    network = _network(seed)
    x = np.random.default_rng(seed + 1).integers(-4, 4, (40, network.input_size)).astype(np.int32)
    x[:2] = [[-4], [3]]
    values = trace(network, x)
    whole = expanded(network)
    assert not whole.of_kind(Shared)
    again = trace(whole, x)
    assert all(np.array_equal(values[name], again[name]) for name in values)
    assert np.array_equal(simulate(reduced(network), x), values["sums"])
    content = file.to_bytes(network)
    read = file.from_bytes(content)
    assert file.to_bytes(read) == content
    assert np.array_equal(simulate(read, x), values["sums"])
    for name, found in values.items():
        assert np.all(found >= network.ranges[name].low)
        assert np.all(found <= network.ranges[name].high)


def test_each_position_is_the_chain_on_what_it_gathers() -> None:
    dense = Dense(np.array([[1, -2], [0, 1]]), 2, np.array([5, 0]), 1)
    shared = Shared((dense,), np.array([[0, 2], [-1, 1]]), 3, padding=7)
    x = np.array([[3, 4, 5]], np.int32)
    # (3 − 1) − 2 (5 − 1) + 5, 5 − 1; (7 − 1) − 2 (4 − 1) + 5, 4 − 1
    assert shared.evaluate(x).tolist() == [[-1, 4, 5, 3]]


def test_ranges_of_each_position_are_its_own_and_those_of_the_chain_their_union() -> None:
    shared = Shared((Dense(np.array([[1]]), 2, np.array([0])),), np.array([[0], [1]]), 2)
    x = ValueRange(np.array([0, -5]), np.array([3, -1]))
    found = shared.output_range(x)
    assert (found.low.tolist(), found.high.tolist()) == ([0, -5], [3, -1])
    assert [value.bounds for value in shared.chain_ranges(x)] == [(-5, 3), (-5, 3)]


def test_a_value_within_the_chain_past_32_bits_is_refused_though_the_output_fits() -> None:
    wide = Dense(np.full((1, 1), 127), 8, np.array([0]))
    chain = (wide, wide, wide, wide, wide, Threshold(np.zeros((1, 1), np.int32)))
    with pytest.raises(NetworkError, match=r"shared, dense.*past 32 bits"):
        Shared(chain, np.zeros((1, 1), np.int32), 1).output_range(ValueRange.uniform(-128, 127, 1))


def test_an_expansion_whose_weights_would_not_fit_in_memory_is_refused_by_name() -> None:
    network = _network(3)
    big = Shared((Dense(np.ones((8, 4), np.int32), 2, np.zeros(8, np.int32)),), np.zeros((4096, 4), np.int32), 4096)
    nodes = (
        Node("input", InputQuantizer(4096, np.ones(1), np.zeros(1), 0, 3, True)),
        Node("convolution", big, ("input",)),
    )
    with pytest.raises(NetworkError, match=r"layer convolution.*weights for 4096 positions"):
        expanded(replace(network, nodes=nodes))


@pytest.mark.parametrize("kind", ["shared", "add", "input_quantizer", "nothing"])
def test_a_file_cannot_nest_what_does_not_repeat(kind: str) -> None:
    entry = {"kind": kind, "attributes": {}, "tensors": []}
    with pytest.raises(NetworkError, match=kind):
        Shared.from_parts({"chain": [entry], "inputs": 1}, {"gather": np.zeros((1, 1), np.int32)})


@pytest.mark.parametrize("chain", [None, 3, [7], [{"kind": "dense"}], [{}] * 65])
def test_a_chain_that_is_not_one_is_refused(chain: object) -> None:
    with pytest.raises(NetworkError, match="chain"):
        Shared.from_parts({"chain": chain, "inputs": 1}, {"gather": np.zeros((1, 1), np.int32)})


def test_a_file_with_a_damaged_chain_is_named() -> None:
    content = file.to_bytes(_network(5)).replace(b"chain.0.weight", b"chain.0.weighs")
    with pytest.raises(InputError, match="not a sound"):
        file.from_bytes(content, "n.edgeml")


def test_the_direction_of_its_inputs_counts_every_position_that_gathers_them() -> None:
    shared = Shared((Dense(np.array([[1, -1]]), 2, np.array([0])),), np.array([[0, 1], [1, -1]]), 2)
    (found,) = shared.wanted_inputs(np.array([1.0, 10.0])) or ()
    assert found.tolist() == [1.0, 9.0]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_repeats_behind_it_joins_its_chain_and_what_does_not_stays(seed: int) -> None:
    random = np.random.default_rng(seed)
    positions, width = (int(n) for n in random.integers(2, 6, 2))
    gather = random.integers(-1, 7, (positions, 3)).astype(np.int32)
    weight = random.integers(-2, 2, (width, 3))
    shared = Shared((Dense(weight, 2, random.integers(-5, 5, width)),), gather, 7)
    order = np.arange(positions * width, dtype=np.int32).reshape(positions, width)
    factors = random.integers(2**30, 2**31 - 1, width)
    behind: list[Layer] = [
        Threshold(np.sort(random.integers(-20, 20, (width, 3)), axis=1), -1),
        Requantize(factors, random.integers(-4, 0, width), "float64_away", fraction=random.integers(0, 9, width)),
        Requantize(np.array([2**30]), np.array([-2]), "shift"),
    ]
    x = random.integers(-4, 4, (20, 7)).astype(np.int32)
    sums = shared.evaluate(x)
    reached = ValueRange.uniform(-100, 100, positions * width)
    for once in behind:
        layer = once.over_positions(order, positions * width, 0)
        joined = shared.followed_by(layer, reached)
        assert joined is not None
        assert len(joined.chain) == 2
        assert joined.sizes[-1] == width
        assert np.array_equal(joined.evaluate(x), layer.evaluate(sums))
    thresholds = np.tile(behind[0].thresholds, (positions, 1))  # type: ignore[attr-defined]
    thresholds[-1, -1] += 1
    assert shared.followed_by(Threshold(thresholds), reached) is None
    shifts = np.full(positions * width, -1)
    shifts[-1] = -2
    rounded = Requantize(np.full(positions * width, 2**30), shifts, "double_rounding")
    assert shared.followed_by(rounded, reached) is None
    whole = Dense(np.ones((1, positions * width), np.int32), 2, np.zeros(1, np.int32))
    assert shared.followed_by(whole, reached) is None


@settings(max_examples=200, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_thresholds_that_a_position_never_meets_or_always_are_those_of_the_others(seed: int) -> None:
    random = np.random.default_rng(seed)
    positions, levels = (int(n) for n in random.integers(1, 4, 2))
    low = random.integers(-6, 3, positions)
    high = low + random.integers(0, 6, positions)
    stated = np.sort(random.integers(-8, 9, (1, levels)), axis=1)
    if random.integers(0, 2):  # as a converter states them: no further than just past what is reached
        thresholds = np.clip(stated, low[:, None], high[:, None] + 1)
    else:
        thresholds = np.sort(random.integers(-8, 9, (positions, levels)), axis=1)
    layer, reached = Threshold(thresholds), ValueRange(low, high)
    once = layer.of_one_position(positions, reached)
    values = [np.arange(first, last + 1, dtype=np.int32)[:, None] for first, last in zip(low, high, strict=True)]

    def given_by(rows: np.ndarray) -> list[list[int]]:
        return [Threshold(row[None]).evaluate(x).ravel().tolist() for row, x in zip(rows, values, strict=True)]

    wanted = given_by(thresholds)
    if once is not None:
        assert given_by(np.tile(once.thresholds, (positions, 1))) == wanted
    else:  # no thresholds at all do what each position's do
        tried = itertools.combinations_with_replacement(range(-9, 11), levels)
        assert all(given_by(np.tile(np.array([row]), (positions, 1))) != wanted for row in tried)
