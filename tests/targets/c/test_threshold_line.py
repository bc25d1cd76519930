"""Thresholds on a line: what is found gives the same count for every accumulator; what is no line is refused."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.network import Threshold
from edgeml.targets.c.threshold_line import NARROW_SHIFT, Line, line_through


def counts(thresholds: np.ndarray, acc: np.ndarray) -> np.ndarray:
    """#{k : acc >= thresholds[k]} for one channel."""
    return np.searchsorted(thresholds, acc, side="right")


def on_line(line: Line, channel: int, acc: np.ndarray) -> np.ndarray:
    clipped = np.clip(acc, line.bottom[channel], line.top[channel])
    value = clipped * line.slope[channel] + line.offset[channel]
    if line.shift == NARROW_SHIFT:
        return (value % 2**32) >> NARROW_SHIFT
    assert np.all(value >= 0)
    return value >> line.shift


def assert_same(line: Line, thresholds: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    for channel, row in enumerate(thresholds):
        if high[channel] - low[channel] < 200_000:
            acc = np.arange(low[channel], high[channel] + 1)
        else:  # all places where the count may change, and the ends
            around = np.concatenate([row - 1, row, [low[channel], high[channel]]])
            acc = np.unique(np.clip(around, low[channel], high[channel]))
        np.testing.assert_array_equal(on_line(line, channel, acc), counts(row, acc))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    levels=st.integers(1, 255),
    step=st.integers(64, 64 * 30_000).map(lambda n: n / 64),
    begin=st.integers(-(2**26), 2**26).map(lambda n: n / 64),
    reach=st.integers(0, 5_000_000),
    rounding=st.sampled_from([np.ceil, np.floor]),
)
def test_uniform_thresholds_are_found_and_exact(
    levels: int, step: float, begin: float, reach: int, rounding: np.ufunc
) -> None:
    """Steps of uniform quantizers, for ranges that cover all, some or none of them; multiples of 1/64, so that no
    float rounds a threshold off its line."""
    thresholds = rounding(step * (np.arange(levels) + 1) + begin).astype(np.int64)[None]
    low = np.array([int(begin) - reach // 3])
    high = low + reach
    line = line_through(thresholds, low, high)
    assert line is not None
    assert_same(line, thresholds, low, high)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rows=st.lists(st.lists(st.integers(-300, 300), min_size=20, max_size=20), min_size=1, max_size=4))
def test_arbitrary_thresholds_are_refused_or_exact(rows: list[list[int]]) -> None:
    thresholds = np.sort(np.array(rows), axis=1)
    low, high = np.full(len(rows), -250), np.full(len(rows), 250)
    line = line_through(thresholds, low, high)
    if line is not None:
        assert_same(line, thresholds, low, high)


def test_thresholds_far_from_a_line_are_refused() -> None:
    squares = (np.arange(16)[None] ** 2).astype(np.int64)
    assert line_through(squares, np.array([-10]), np.array([300])) is None


def test_one_channel_off_the_line_refuses_the_layer() -> None:
    straight = np.arange(20) * 7
    bent = np.where(np.arange(20) > 10, straight + 400, straight)
    low, high = np.full(2, -50), np.full(2, 900)
    assert line_through(np.stack([straight, straight]), low, high) is not None
    assert line_through(np.stack([straight, bent]), low, high) is None


def test_dead_channels_are_constant() -> None:
    """All thresholds below, or above, what accumulators reach; or only one between."""
    levels = 31
    one = np.concatenate([np.full(15, -(2**31)), [7], np.full(15, 2**31 - 1)])
    thresholds = np.stack([np.full(levels, -(2**31)), np.full(levels, 2**31 - 1), one])
    low, high = np.full(3, -1000), np.full(3, 1000)
    line = line_through(thresholds, low, high)
    assert line is not None
    assert_same(line, thresholds, low, high)


def test_steps_over_levels_are_refused_or_exact() -> None:
    """More levels than accumulator values: some levels are never the answer."""
    for step in (0.015, 0.3, 0.7):
        thresholds = np.ceil(np.arange(1, 66) * step).astype(np.int64)[None]
        for reach in (2, 10, 200):
            low, high = np.array([0]), np.array([reach])
            line = line_through(thresholds, low, high)
            if line is not None:
                assert_same(line, thresholds, low, high)


def test_the_count_is_the_layers() -> None:
    """Against the layer's own meaning."""
    thresholds = np.ceil(np.arange(1, 256) * 13.37 - 900).astype(np.int64)[None]
    line = line_through(thresholds, np.array([-4000]), np.array([4000]))
    assert line is not None
    acc = np.arange(-4000, 4001)
    np.testing.assert_array_equal(on_line(line, 0, acc), Threshold(thresholds).evaluate(acc[:, None])[:, 0])
