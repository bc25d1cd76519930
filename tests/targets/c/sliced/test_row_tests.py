"""Tests of a sample's bytes, 64 at a time: each is made once, of its own byte."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.targets.c.sliced.row_tests import RowTest, row_tests


def checked(source: list[int], size: int) -> list[RowTest]:
    """The rows of tests n of byte source[n], once all are seen to be there."""
    numbers = np.arange(1, len(source) + 1)
    found = row_tests("levels", np.array(source), numbers, size)
    made = []
    for row in found:
        assert row.place is not None
        assert row.operand is not None
        assert int(row.place.max()) < 64
        assert row.base + int(row.place.max()) < size
        starts = row.place.reshape(8, 8)
        np.testing.assert_array_equal(starts, starts[:, :1] + np.arange(8))
        for number, bit in row.made:
            assert row.base + int(row.place[bit]) == source[number]
            assert row.operand[bit] == numbers[number]
            made.append(number)
    assert sorted(made) == list(range(len(source)))
    return found


@pytest.mark.parametrize("size", [8, 9, 40, 64, 65, 300])
def test_every_test_is_made_once_of_its_own_byte(size: int) -> None:
    generator = np.random.default_rng(size)
    for tests in (1, 7, 64, 65, 200):
        checked(generator.integers(0, size, tests).tolist(), size)


def test_four_groups_that_lie_one_behind_the_other_stay_together() -> None:
    """40 bytes, each tested three times: three vectors of 32 bytes as they lie, then the last eight bytes."""
    first, second = checked(list(range(40)) * 3, 40)
    in_order = np.arange(32)
    assert first.place is not None
    assert second.place is not None
    np.testing.assert_array_equal(first.place[:32], in_order)
    np.testing.assert_array_equal(second.place[:32], in_order)
    np.testing.assert_array_equal(first.place[32:], in_order)
    np.testing.assert_array_equal(second.place[32:].reshape(4, 8), np.tile(np.arange(32, 40), (4, 1)))


def test_neighbours_on_either_side_of_a_multiple_of_eight_are_one_group() -> None:
    """Eight groups for sixteen, and so one row for two."""
    (row,) = checked([7, 8, 23, 24, 39, 40, 55, 56] * 2, 64)
    assert row.eights == 8
