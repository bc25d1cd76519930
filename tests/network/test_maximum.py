"""`Maximum`: what it computes, its ranges, its file, its reduction, and that sums and thresholds give the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import NetworkError
from edgeml.network import (
    Dense,
    InputQuantizer,
    Maximum,
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


@settings(max_examples=100, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_the_largest_of_what_it_gathers_in_every_shape(seed: int) -> None:
    random = np.random.default_rng(seed)
    inputs, outputs, width = int(random.integers(2, 8)), int(random.integers(1, 5)), int(random.integers(1, 8))
    quantizer = InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, int(random.integers(1, 9)), bool(random.integers(2)))
    gather = random.integers(0, inputs, (outputs, width)).astype(np.int32)
    last = Dense(random.integers(-1, 2, (2, outputs)), 2, np.zeros(2, np.int32))
    nodes = (
        Node("input", quantizer),
        Node("pool", Maximum(gather, inputs), ("input",)),
        Node("sums", last, ("pool",)),
    )
    network = Network("net", nodes, Output(np.ones(1)))
    x = random.integers(quantizer.low, quantizer.high, (60, inputs), endpoint=True).astype(np.int32)
    values = trace(network, x)
    assert values["pool"].tolist() == [[max(row[each] for each in places) for places in gather] for row in x.tolist()]
    whole = expanded(network)
    assert not whole.of_kind(Maximum)
    again = trace(whole, x)
    assert all(np.array_equal(values[name], again[name]) for name in values)
    assert np.array_equal(simulate(reduced(network), x), values["sums"])
    content = file.to_bytes(network)
    assert file.to_bytes(file.from_bytes(content)) == content
    for end in (quantizer.low, quantizer.high):
        q = np.full((1, inputs), end, np.int32)
        reached = network.ranges["pool"].low if end == quantizer.low else network.ranges["pool"].high
        assert np.array_equal(trace(network, q)["pool"][0], reached)


def test_its_range_is_of_the_largest_ends_and_its_direction_that_of_all_it_looks_at() -> None:
    layer = Maximum(np.array([[0, 1], [2, 2]]), 3)
    found = layer.output_range(ValueRange(np.array([-5, 1, 0]), np.array([9, 4, 0])))
    assert (found.low.tolist(), found.high.tolist()) == ([1, 0], [9, 0])
    assert layer.wanted_inputs(np.array([1.0, -2.0]))[0].tolist() == [1.0, 1.0, -4.0]


def test_wide_values_have_no_comparisons_and_a_gather_outside_is_refused() -> None:
    with pytest.raises(NetworkError, match="more than 8 bits"):
        Maximum(np.array([[0, 1]]), 2).as_shared(ValueRange.uniform(-1, 255, 2))
    with pytest.raises(NetworkError, match="gather"):
        Maximum(np.array([[0, -1]]), 2)
