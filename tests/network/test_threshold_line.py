"""Thresholds as one line: the same count for every reachable accumulator, and the least that it takes."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from edgeml.network import ValueRange
from edgeml.network.threshold_line import LinePoints, LineWidths, find_line, find_lines, roundest
from tests.sweeps import cases, seed_for

_SMALL = LineWidths(multiplier_bits=4, shifts=range(5))


def _count(row: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (x[:, None] >= row).sum(axis=1)


def _exists(row: list[int], low: int, high: int, without: frozenset[int], shift: int) -> bool:
    """Whether any line of 4 bits keeps the levels that are not left out, by trying every one."""
    x = np.arange(low, high + 1)
    kept = [k for k in range(1, len(row) + 1) if k not in without]
    want = (x[:, None] >= np.array(row)[[k - 1 for k in kept]]).T
    products = x * np.arange(16)[:, None] + np.arange(-272, 384)[:, None, None]  # [offsets, multipliers, x]
    exact = np.ones(products.shape[:2], np.bool_)
    for level, reached in zip(kept, want, strict=True):
        exact &= ((products >= level << shift) == reached).all(axis=2)
    return bool(exact.any())


@pytest.mark.parametrize("seed", range(12))
def test_a_line_is_found_exactly_where_trying_all_finds_one_and_with_as_few_exceptions(seed: int) -> None:
    rng = np.random.default_rng(seed_for(seed))
    levels = int(rng.integers(1, 5))
    low, high = -int(rng.integers(0, 12)), int(rng.integers(0, 13))
    row = sorted(int(value) for value in rng.integers(low - 3, high + 5, levels))
    reachable = [k for k in range(1, levels + 1) if low < row[k - 1] <= high]
    for most in range(3):
        wanted = any(
            _exists(row, low, high, frozenset(chosen), shift)
            for chosen in combinations(reachable, min(most, len(reachable)))
            for shift in _SMALL.shifts
        )
        line = find_line(row, low, high, _SMALL, most)
        assert (line is not None) == wanted, (row, low, high, most)
        if line is not None:
            x = np.arange(low, high + 1)
            np.testing.assert_array_equal(line(x), _count(np.array(row), x))
            assert len(line.exceptions) <= most
            if most == 0:
                assert not any(_exists(row, low, high, frozenset(), shift) for shift in range(line.shift))


@pytest.mark.parametrize("levels", [1, 3, 15, 255])
def test_the_rounding_of_any_line_is_found_and_proved_for_every_accumulator(levels: int) -> None:
    rng = np.random.default_rng(seed_for(levels))
    for _ in range(20):
        span = int(rng.integers(2 * levels, 200 * levels + 2))
        low, high = -int(rng.integers(1, span)), int(rng.integers(1, span))
        slope, first = Fraction(int(rng.integers(1, 2**20)), 2**20 * 20), Fraction(int(rng.integers(-span, span)), 7)
        row = np.array([int(np.ceil(float((k - Fraction(1, 2)) / slope + first))) for k in range(1, levels + 1)])
        row = np.clip(row, -(2**31), 2**31 - 1)
        line = find_line(row, low, high)
        assert line is not None
        assert not line.exceptions
        x = np.arange(low, high + 1)
        np.testing.assert_array_equal(line(x), _count(row, x))


def test_a_few_thresholds_beside_the_line_are_exceptions() -> None:
    row = np.array([int(np.ceil((k - 0.5) * 97.3)) for k in range(1, 64)])
    row[[10, 11, 40]] += [31, -20, 25]
    assert find_line(row, -500, 7000, most_exceptions=2) is None
    line = find_line(row, -500, 7000, most_exceptions=3)
    assert line is not None
    assert [level for level, *_ in line.exceptions] == [11, 12, 41]
    assert {row[10], row[11], row[40]} <= {end for _, first, beyond, _ in line.exceptions for end in (first, beyond)}
    x = np.arange(-500, 7001)
    np.testing.assert_array_equal(line(x), _count(row, x))


def test_ties_that_go_to_even_levels_are_on_no_line() -> None:
    row = [16 * k - 8 + k % 2 for k in range(1, 64)]
    assert not LinePoints.of(row, -100, 2000).on_a_line
    assert find_line(row, -100, 2000, most_exceptions=4) is None


def test_widths_are_kept() -> None:
    rng = np.random.default_rng(0)
    row = [int(np.ceil((k - 0.5) * 301.77 + 12.3)) for k in range(1, 256)]
    free = find_line(row, -90000, 90000)
    assert free is not None
    bits = free.multiplier.bit_length()
    assert find_line(row, -90000, 90000, LineWidths(multiplier_bits=bits - 1)) is None
    total = max(abs(x * free.multiplier + plus).bit_length() + 1 for x in (-90000, 90000) for plus in (0, free.offset))
    assert find_line(row, -90000, 90000, LineWidths(total_bits=total)) == free
    assert find_line(row, -90000, 90000, LineWidths(total_bits=total - 1, shifts=[free.shift])) is None
    wide = find_line(row, -90000, 90000, LineWidths(shifts=[44]))
    assert wide is not None
    assert wide.shift == 44
    x = rng.integers(-90000, 90001, 5000)
    np.testing.assert_array_equal(wide(x), _count(np.array(row), x))


@pytest.mark.parametrize("row", [[3, 9, 14, 20, 26], [2, 7], [1, 1, 5]])
def test_all_multipliers_and_offsets_of_a_shift_serve_and_no_others(row: list[int]) -> None:
    points, x = LinePoints.of(row, -20, 40), np.arange(-20, 41)
    for shift in range(6):
        for multiplier in range(2 << shift):
            offsets = points.offsets(multiplier, shift)
            assert bool(offsets) == (multiplier in points.multipliers(shift))
            tried = np.arange(-40 << shift, 40 << shift)
            exact = (np.clip((x * multiplier + tried[:, None]) >> shift, 0, len(row)) == _count(np.array(row), x)).all(
                axis=1
            )
            assert set(tried[exact].tolist()) == set(offsets)
            for offset in offsets:
                assert multiplier in points.multipliers_with(offset, shift)


def test_thresholds_out_of_reach_bound_the_line_at_the_end_of_the_range_alone() -> None:
    assert find_line([5, 6, 7], 10, 20) is not None
    for row in ([-90, -80, 3, 50, 60], [1, 99], [-9, -9, 0], [40, 41], [2, 2, 2]):
        line = find_line(row, -8, 30)
        x = np.arange(-8, 31)
        assert line is not None
        np.testing.assert_array_equal(line(x), _count(np.array(row), x))


def test_the_roundest_integer_is_divisible_by_the_highest_power_of_two() -> None:
    for least in range(-40, 40):
        for most in range(least, 41):
            found = roundest(least, most)
            assert least <= found <= most
            best = max((value & -value for value in range(least, most + 1)), default=0)
            assert found == 0 or (found & -found) == best, (least, most, found)


@pytest.mark.slow(scaled=True)
def test_many_channels_of_eight_bits_are_found_at_once() -> None:
    rng = np.random.default_rng(seed_for(5))
    for _ in range(cases(10)):
        slopes = rng.uniform(100, 1500, 96)
        row = np.ceil((np.arange(1, 256) - 0.5) * slopes[:, None] + rng.uniform(-30000, 30000, (96, 1)))
        thresholds, low, high = row.astype(np.int64), np.full(96, -800000), np.full(96, 800000)
        lines = find_lines(thresholds, ValueRange(low, high))
        for line, channel in zip(lines, thresholds, strict=True):
            assert line is not None
            x = np.concatenate([channel, channel - 1, [-800000, 800000]])
            np.testing.assert_array_equal(line(x), _count(channel, x))
