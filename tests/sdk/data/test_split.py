"""What is held back: of each class its share, whatever the order, and the same samples on every machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.data.dataset import Dataset, as_dataset
from edgeml.data.split import held_back
from edgeml.errors import InputError


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_each_class_of_two_or_more_is_on_both_sides_and_no_sample_is_lost(counts: list[int]) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    if len(y) < 2:
        return
    train, test, kind = held_back(len(y), y, "stratified", "x")
    assert sorted([*train, *test]) == list(range(len(y)))
    if kind == "random":
        assert len(test) == max(len(y) // 5, 1)
        return
    held = np.bincount(y[test], minlength=len(counts))
    for count, share in zip(counts, held, strict=True):
        assert (share > 0) == (count > 1)
        assert count // 5 <= share <= max(-(-count // 5), 1)
        assert share < count


def test_the_samples_are_these() -> None:
    """The numbers are frozen: another machine or numpy that gave others would judge on other samples."""
    y = np.repeat([0, 1, 2], 5)
    _, test, kind = held_back(15, y, "stratified", "x")
    assert (test.tolist(), kind) == ([14, 9, 4], "stratified")
    assert held_back(15, None, "stratified", "x")[1].tolist() == [14, 9, 4]
    assert held_back(15, None, "tail", "x")[1].tolist() == [12, 13, 14]


def test_both_sides_come_in_random_order_so_that_the_first_samples_hold_every_class() -> None:
    data = as_dataset({"x": np.zeros((1000, 2)), "y": np.sort(np.arange(1000) % 4)})
    assert data.y is not None
    assert data.y_test is not None
    for y in (data.y, data.y_test):
        assert set(y[:40]) == {0, 1, 2, 3}


def test_values_are_held_back_at_random_and_a_network_is_judged_on_all() -> None:
    data = as_dataset({"x": np.arange(40.0).reshape(20, 2), "y": np.linspace(0, 1, 20)})
    assert (data.split, len(data.x_test)) == ("random", 4)
    whole = data.undivided()
    assert (whole.split, len(whole.x_test), len(whole.y_test)) == ("all", 20, 20)  # type: ignore[arg-type]
    given_split = Dataset(data.x, data.x_test, data.y, data.y_test)
    assert given_split.undivided() is given_split


def test_a_split_of_ones_own_and_another_word_are_refused() -> None:
    x = np.zeros((9, 2))
    with pytest.raises(InputError, match="stratified, tail"):
        as_dataset({"x": x}, split="head")
    with pytest.raises(InputError, match="holds x_test"):
        as_dataset({"x": x, "x_test": x}, split="tail")
    with pytest.raises(InputError, match="at least 2"):
        as_dataset({"x": x[:1]})
