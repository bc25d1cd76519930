"""`Multiply`: what it computes, its ranges, the way to its extremes, its file and its reduction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import NetworkError
from edgeml.network import (
    Dense,
    InputQuantizer,
    Multiply,
    Network,
    Node,
    Output,
    ValueRange,
    file,
    simulate,
    trace,
)
from edgeml.network.reduction import reduced
from edgeml.vectors.directions import wanted_inputs
from tests.targets.joined_networks import inputs, multiplied


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_the_product_in_every_shape(seed: int) -> None:
    random = np.random.default_rng(seed)
    taken, hidden = int(random.integers(1, 6)), int(random.integers(1, 6))
    quantizer = InputQuantizer(taken, np.ones(1), np.zeros(1), 0, int(random.integers(1, 9)), bool(random.integers(2)))
    sides = [Dense(random.integers(-1, 2, (hidden, taken)), 2, random.integers(-5, 6, hidden)) for _ in range(2)]
    last = Dense(random.integers(-1, 2, (2, hidden)), 2, np.zeros(2, np.int32))
    nodes = (
        Node("input", quantizer),
        Node("a", sides[0], ("input",)),
        Node("b", sides[1], ("input",)),
        Node("product", Multiply(), ("a", "b")),
        Node("sums", last, ("product",)),
    )
    network = Network("net", nodes, Output(np.ones(1)))
    x = random.integers(quantizer.low, quantizer.high, (40, taken), endpoint=True).astype(np.int32)
    values = trace(network, x)
    pairs = zip(values["a"].tolist(), values["b"].tolist(), values["product"].tolist(), strict=True)
    assert all(found == [p * q for p, q in zip(a, b, strict=True)] for a, b, found in pairs)
    assert np.array_equal(simulate(reduced(network), x), values["sums"])
    content = file.to_bytes(network)
    assert file.to_bytes(file.from_bytes(content)) == content


@given(st.lists(st.integers(-300, 300), min_size=4, max_size=4))
def test_its_range_is_that_of_all_pairs(ends: list[int]) -> None:
    (a, b), (c, d) = sorted(ends[:2]), sorted(ends[2:])
    found = Multiply().output_range(*(ValueRange(np.array([low]), np.array([high])) for low, high in ((a, b), (c, d))))
    products = np.arange(a, b + 1)[:, None] * np.arange(c, d + 1)
    assert (int(found.low[0]), int(found.high[0])) == (products.min(), products.max())


def test_products_past_32_bits_are_refused_by_name() -> None:
    wide = Dense(np.full((1, 1), 127), 8, np.array([2**30]))
    nodes = (
        Node("input", InputQuantizer(1, np.ones(1), np.zeros(1), 0, 8, True)),
        Node("wide", wide, ("input",)),
        Node("square", Multiply(), ("wide", "wide")),
    )
    with pytest.raises(NetworkError, match=r"layer square.*past 32 bits"):
        Network("net", nodes, Output(np.ones(1)))


def test_factors_of_unlike_sizes_are_refused() -> None:
    with pytest.raises(NetworkError, match=r"multiply.*one size, found \[2, 3\]"):
        Multiply().output_size(2, 3)


def test_a_factor_goes_with_its_product_where_the_other_is_positive() -> None:
    direction, values = np.array([1.0, 1.0, -1.0]), (np.array([5, -5, 5]), np.array([-1, 1, 0]))
    found = wanted_inputs(Multiply(), direction, values)
    assert found is not None
    assert [each.tolist() for each in found] == [[-1.0, 1.0, -1.0], [1.0, -1.0, -1.0]]


def test_each_corner_is_reached_by_the_networks_of_the_tests() -> None:
    network = multiplied((3, 4), (True, True))
    values, ends = trace(network, inputs(4000))["product"], network.ranges["product"]
    assert values[:, 0].max() == ends.high[0]
    assert values[:, 1].min() == ends.low[1]
