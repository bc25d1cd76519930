"""`Concat`: what it computes, its ranges, its file, and that sums of placed values give the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import NetworkError
from edgeml.network import (
    Concat,
    Dense,
    InputQuantizer,
    Network,
    Node,
    Output,
    ValueRange,
    expanded,
    file,
    simulate,
    trace,
)
from edgeml.network.reduction import reduced


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_one_behind_the_other_in_every_shape(seed: int) -> None:
    random = np.random.default_rng(seed)
    inputs, hidden = int(random.integers(1, 6)), int(random.integers(1, 6))
    quantizer = InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, int(random.integers(1, 9)), bool(random.integers(2)))
    first = Dense(random.integers(-1, 2, (hidden, inputs)), 2, np.zeros(hidden, np.int32))
    total = inputs + 2 * hidden
    nodes = (
        Node("input", quantizer),
        Node("hidden", first, ("input",)),
        Node("both", Concat(hidden, inputs), ("hidden", "input")),
        Node("again", Concat(hidden + inputs, hidden), ("both", "hidden")),
        Node("sums", Dense(random.integers(-1, 2, (2, total)), 2, np.zeros(2, np.int32)), ("again",)),
    )
    network = Network("net", nodes, Output(np.ones(1)))
    x = random.integers(quantizer.low, quantizer.high, (40, inputs), endpoint=True).astype(np.int32)
    values = trace(network, x)
    for before, row, found in zip(values["hidden"].tolist(), x.tolist(), values["again"].tolist(), strict=True):
        assert found == before + row + before
    whole = expanded(network)
    assert not whole.of_kind(Concat)
    again = trace(whole, x)
    assert all(np.array_equal(values[name], again[name]) for name in values)
    assert all(
        np.array_equal(network.ranges[name].low, whole.ranges[name].low)
        and np.array_equal(network.ranges[name].high, whole.ranges[name].high)
        for name in values
    )
    assert np.array_equal(simulate(reduced(network), x), values["sums"])
    content = file.to_bytes(network)
    assert file.to_bytes(file.from_bytes(content)) == content


def test_its_range_and_its_direction_are_those_of_both_sides() -> None:
    layer = Concat(2, 1)
    found = layer.output_range(
        ValueRange(np.array([-5, 1]), np.array([9, 4])), ValueRange(np.array([0]), np.array([3]))
    )
    assert (found.low.tolist(), found.high.tolist()) == ([-5, 1, 0], [9, 4, 3])
    assert [side.tolist() for side in layer.wanted_inputs(np.array([1.0, -2.0, 3.0]))] == [[1.0, -2.0], [3.0]]


@pytest.mark.parametrize("sizes", [(0, 1), (1, -1), (2**25, 1), (1.5, 1), ("1", 1)])
def test_sizes_that_are_none_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(NetworkError, match="concat, "):
        Concat(*sizes)


def test_inputs_of_other_sizes_are_refused_by_the_layers_name() -> None:
    nodes = (
        Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("both", Concat(3, 2), ("input", "input")),
    )
    with pytest.raises(NetworkError, match=r"layer both.*sizes \[3, 2\], found \[3, 3\]"):
        Network("net", nodes, Output(np.ones(1)))
