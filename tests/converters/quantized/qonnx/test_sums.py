"""Sums of two tensors of different scales: the level of every pair, by a shift where levels lie at equal distances."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from edgeml.converters.quantized.qonnx.staircases import Reach
from edgeml.converters.quantized.qonnx.sums import exact_sum
from edgeml.errors import InputError
from edgeml.targets.fpga.threshold_lines import constant_line


def terms(scale: float, zero: int, low: int = -128, high: int = 127) -> list[Fraction]:
    """The real numbers of integers low … high, of a float32 scale."""
    return [Fraction(float(np.float32(scale))) * (q - zero) for q in range(low, high + 1)]


def rounded(scale: float, zero: int) -> list[Reach]:
    """Where rounding half to even reaches the levels −127 … 127 of a float32 scale."""
    step = Fraction(float(np.float32(scale)))
    return [(step * (Fraction(2 * level - 1, 2) - zero), (level - zero) % 2 == 0) for level in range(-127, 128)]


def levels(first: Sequence[Fraction], second: Sequence[Fraction], reaches: Sequence[Reach]) -> list[int]:
    """Of every pair how many levels it reaches, by their definition: those below it, and those at it if inclusive."""
    points = [x for x, _ in reaches]

    def level(total: Fraction) -> int:
        least = bisect_left(points, total)
        return least + sum(at for x, at in reaches[least : bisect_right(points, total)])

    return [level(p + q) for p in first for q in second]


def counted(one: object, other: object, row: object) -> list[int]:
    """The same by tables and thresholds."""
    sums = np.asarray(one)[:, None] + np.asarray(other)
    return np.searchsorted(np.asarray(row), sums.ravel(), side="right").tolist()  # type: ignore[no-any-return]


def test_every_pair_gets_its_level_by_a_shift() -> None:
    first, second, reaches = terms(0.0717, 3, -20, 20), terms(0.0213, -128, -20, 30), rounded(0.0741, -9)
    one, other, row = exact_sum(first, second, reaches, "sum")
    assert counted(one, other, row) == levels(first, second, reaches)
    met = row[(row > one.min() + other.min()) & (row <= one.max() + other.max())]
    (distance,) = set(np.diff(met).tolist())
    assert distance & (distance - 1) == 0
    assert distance <= 2**12


@pytest.mark.parametrize("scales", [(0.5, 0.25, 0.5), (0.011, 0.05, 0.02)], ids=str)
def test_ties_to_even_and_what_is_nearly_one_are_no_shift_and_exact(scales: tuple[float, ...]) -> None:
    """Scales of a simple ratio: sums that lie in the middle between two levels, or a last bit of float32 off it."""
    first, second, reaches = terms(scales[0], 0, -20, 20), terms(scales[1], 5, -20, 20), rounded(scales[2], -60)
    one, other, row = exact_sum(first, second, reaches, "sum")
    assert counted(one, other, row) == levels(first, second, reaches)


def test_sums_of_all_integers_of_8_bits_need_no_multiplication() -> None:
    """As a layer of logic takes them: a line of multiplier 1 whose offset is nothing, for levels that are all met."""
    first, second, reaches = terms(0.0717, 3), terms(0.0313, -128), rounded(0.0741, -20)
    one, other, row = exact_sum(first, second, reaches, "sum")
    p, q = np.random.default_rng(0).integers(0, 256, (2, 1000))
    found = np.searchsorted(row, one[p] + other[q], side="right").tolist()
    assert found == [levels([first[k]], [second[j]], reaches)[0] for k, j in zip(p, q, strict=True)]
    low, high = int(one.min() + other.min()), int(one.max() + other.max())
    within = [int(t) for t in row if low < t <= high]
    line = constant_line(within, low, high, 0, len(within))
    assert line is not None
    assert (line.multiplier, line.offset) == (1, 0)


def test_levels_that_every_pair_reaches_or_none_keep_their_count() -> None:
    """As a ReLU between the sum and its quantizer leaves them."""
    first, second = terms(0.07, 0, -20, 20), terms(0.03, 0, -20, 20)
    low, high = first[0] + second[0], first[-1] + second[-1]
    reaches = [(low, True)] * 4 + rounded(0.1, 0)[127:140] + [(high, False)] * 3
    one, other, row = exact_sum(first, second, reaches, "sum")
    assert len(row) == len(reaches)
    assert counted(one, other, row) == levels(first, second, reaches)


def test_levels_at_other_distances_are_kept_too() -> None:
    first, second = terms(0.07, 0, -20, 20), terms(0.03, 0, -20, 20)
    reaches = [(Fraction(k * abs(k), 100), k % 2 == 0) for k in range(-12, 13)]
    one, other, row = exact_sum(first, second, reaches, "sum")
    assert counted(one, other, row) == levels(first, second, reaches)


def test_pairs_nearer_to_each_other_than_32_bits_tell_apart_are_refused() -> None:
    first = [Fraction(0), Fraction(1), Fraction(1) + Fraction(1, 2**70)]
    with pytest.raises(InputError, match="no sum of 32 bits holds exactly"):
        exact_sum(first, [Fraction(0)], [(Fraction(k, 7), True) for k in (1, 2, 4)] + [(first[2], True)], "sum")
