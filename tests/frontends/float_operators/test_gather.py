"""What positions take: values and zeros, which inputs one weight takes, and what is alike for these."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError
from edgeml.frontends.float_operators.gather import Gather, as_gather, joined_ties, tied_least, tied_mean
from edgeml.frontends.float_operators.shared_linear import SharedLinear

GATHERS = st.builds(
    lambda seed, positions, columns, inputs: Gather(
        np.random.default_rng(seed).integers(-1, inputs, (positions, columns)), inputs
    ),
    *(st.integers(0, 999), st.integers(1, 4), st.integers(1, 3), st.integers(1, 8)),
)


@given(GATHERS)
@settings(max_examples=50)
def test_rows_are_the_values_by_their_numbers(gather: Gather) -> None:
    x = np.random.default_rng(0).normal(size=(3, gather.inputs))
    rows = gather.rows(x)
    for sample in range(3):
        for position, row in enumerate(gather.index):
            expected = [0.0 if place == -1 else x[sample, place] for place in row]
            assert rows[sample * gather.positions + position].tolist() == expected
    assert np.array_equal(gather.rows(torch.from_numpy(x)).numpy(), rows)
    assert np.array_equal(gather.joined(rows), rows.reshape(3, -1))


@given(st.lists(GATHERS, min_size=1, max_size=2))
@settings(max_examples=80)
def test_ties_are_what_columns_connect(gathers: list[Gather]) -> None:
    """The same classes as by walking from input to input over the columns."""
    gathers = [Gather(np.minimum(each.index, gathers[0].inputs - 1), gathers[0].inputs) for each in gathers]
    inputs = gathers[0].inputs
    ties = joined_ties(gathers)
    columns = [set(column.tolist()) - {-1} for gather in gathers for column in gather.index.T]
    for start in range(inputs):
        reached, before = {start}, set()
        while reached != before:
            before = set(reached)
            for column in columns:
                if column & reached:
                    reached |= column
        assert reached == set(np.flatnonzero(ties == ties[start]).tolist())
        values = np.random.default_rng(1).normal(size=inputs)
        mine = values[sorted(reached)]
        assert tied_least(values, ties)[start] == mine.min()
        assert np.isclose(tied_mean(values, ties)[start], mine.mean())


def test_scales_and_shifts_go_into_weights_where_they_are_alike_at_all_positions() -> None:
    generator = np.random.default_rng(2)
    source = np.array([[0.0, 1, -1], [2, 3, 0]])
    shared = SharedLinear(generator.normal(size=(2, 3)), generator.normal(size=2), source, 4)
    x = generator.normal(size=(5, 4))
    scale, shift = np.tile([2.0, -1.0], 2), np.tile([0.5, 0.25], 2)
    behind = shared.scaled_and_shifted(scale, shift)
    assert behind is not None
    assert np.allclose(behind.evaluate(x), shared.evaluate(x) * scale + shift)
    assert shared.scaled_and_shifted(np.array([2.0, -1, 2, 1]), shift) is None
    assert shared.scaled_and_shifted(scale, np.array([0.0, 0, 0, 1])) is None
    before = np.array([3.0, 0.5, 3.0, 0.5])
    taken = shared.of_scaled_and_shifted(before, np.zeros(4))
    assert taken is not None
    assert np.allclose(taken.evaluate(x), shared.evaluate(x * before))
    assert shared.of_scaled_and_shifted(np.array([1.0, 2, 3, 4]), np.zeros(4)) is None
    assert shared.of_scaled_and_shifted(before, np.array([1.0, 0, 1, 0])) is None  # beside padding with 0


@pytest.mark.parametrize("index", [np.array([[0.5]]), np.array([[-2.0]]), np.array([[4.0]]), np.zeros(3)])
def test_numbers_that_name_no_input_are_refused(index: np.ndarray) -> None:
    with pytest.raises(InputError, match="somewhere"):
        as_gather("somewhere", index, 4)
