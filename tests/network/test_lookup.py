"""The table of a function of one small integer."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import NetworkError
from edgeml.network import ValueRange
from edgeml.network.layers.lookup import Lookup


def test_each_value_takes_its_entry() -> None:
    table = np.random.default_rng(0).integers(-128, 128, 256)
    x = np.arange(-128, 128)[None, :]
    assert np.array_equal(Lookup(table).evaluate(x)[0], table)


def test_the_range_is_that_of_the_entries_in_reach_and_not_of_the_ends() -> None:
    lookup = Lookup(np.array([5, -9, 7, 1]), base=10)
    found = lookup.output_range(ValueRange(np.array([10, 11]), np.array([13, 11])))
    assert (found.low.tolist(), found.high.tolist()) == ([-9, -9], [7, -9])


def test_an_input_beyond_the_table_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"covers 0 … 3, its input -1 … 2"):
        Lookup(np.arange(4), base=0).output_range(ValueRange.uniform(-1, 2, 3))


def test_a_table_must_be_a_vector_of_integers_of_bounded_size() -> None:
    with pytest.raises(NetworkError, match="must hold integers"):
        Lookup(np.array([0.5]))
    with pytest.raises(NetworkError, match="at most 65536 entries"):
        Lookup(np.zeros(2**16 + 1, np.int32))
