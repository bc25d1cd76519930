"""The five rounding rules against their definitions, written a second time in another way."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.errors import NetworkError
from edgeml.network.rounding import ROUNDINGS, float32_parts, float64_parts, quantize_multiplier, rescale

ACCUMULATORS = st.integers(-(2**31) + 1, 2**31 - 1)
MULTIPLIERS = st.integers(2**30, 2**31 - 1)
SHIFTS = st.integers(-31, 0)


def computed(rounding: str, acc: int, multiplier: int, shift: int, fraction: int = 0) -> int:
    parts = (np.array([value], np.int64) for value in (acc, multiplier, shift))
    result = rescale(*parts, rounding, np.array([fraction], np.int64))
    return int(result[0])


def half_away(value: Fraction) -> int:
    rounded = int(abs(value) + Fraction(1, 2))
    return -rounded if value < 0 else rounded


def half_even(value: Fraction) -> int:
    return round(value)


def doubling_high_multiply(a: int, b: int) -> int:
    """gemmlowp's SaturatingRoundingDoublingHighMul as it is written down: a nudge by sign, a division toward zero."""
    product = a * b
    nudge = 2**30 if product >= 0 else 1 - 2**30
    total = product + nudge
    return total // 2**31 if total >= 0 else -((-total) // 2**31)


def ties_near(multiplier: int, shift: int, acc: int) -> int:
    """An accumulator at or beside a tie of the product, in the neighbourhood of `acc`."""
    step = Fraction(2) ** (31 - shift) / multiplier
    return max(-(2**31) + 1, min(2**31 - 1, int((int(acc / step) + Fraction(1, 2)) * step)))


@given(ACCUMULATORS, MULTIPLIERS, SHIFTS, st.booleans())
def test_double_rounding_is_a_doubling_multiplication_and_a_division_with_ties_away_from_zero(
    acc: int, multiplier: int, shift: int, near: bool
) -> None:
    acc = ties_near(multiplier, shift, acc) if near else acc
    expected = half_away(Fraction(doubling_high_multiply(acc, multiplier), 2**-shift))
    assert computed("double_rounding", acc, multiplier, shift) == expected


@given(ACCUMULATORS, MULTIPLIERS, SHIFTS, st.booleans())
def test_ruy_half_up_differs_in_the_direction_of_the_second_tie_only(
    acc: int, multiplier: int, shift: int, near: bool
) -> None:
    acc = ties_near(multiplier, shift, acc) if near else acc
    high = Fraction(doubling_high_multiply(acc, multiplier), 2**-shift)
    assert computed("ruy_half_up", acc, multiplier, shift) == (high + Fraction(1, 2)).__floor__()


@given(ACCUMULATORS, st.floats(2.0**-31, 200.0), st.booleans())
def test_float64_away_is_one_product_in_float64(acc: int, eff: float, near: bool) -> None:
    parts = [int(part[0]) for part in float64_parts(eff)]
    multiplier, shift, fraction = parts
    if near:
        acc = ties_near(multiplier, shift, acc)
    expected = half_away(Fraction(float(acc) * eff))
    assert computed("float64_away", acc, multiplier, shift, fraction) == expected


def test_float64_away_where_the_product_itself_is_a_tie_of_float64() -> None:
    """acc · eff lies half a unit of float64 below a tie of the output, where that unit is one of the product: float64
    rounds it up to the tie, to even, and the tie goes away from zero. acc = 3 · 2^21 makes such products."""
    acc, tried = 3 * 2**21, 0
    for k in range(40, 64):
        tie = (2 * k + 1) << 46
        if not 2**52 <= tie < 2**53 or (2 * tie - 1) % 3 or (2 * tie - 1) // 3 < 2**52:
            continue
        eff = (2 * tie - 1) // 3 * 2.0**-69
        multiplier, shift, fraction = (int(part[0]) for part in float64_parts(eff))
        for sign in (1, -1):
            assert computed("float64_away", sign * acc, multiplier, shift, fraction) == half_away(
                Fraction(float(sign * acc) * eff)
            )
        assert computed("float64_away", acc, multiplier, shift, fraction) == k + 1
        tried += 1
    assert tried > 3


@given(ACCUMULATORS, st.floats(2.0**-31, 200.0, width=32), st.booleans())
def test_fp32_rne_is_one_product_in_float32(acc: int, eff: float, near: bool) -> None:
    multiplier, shift = (int(part[0]) for part in float32_parts(eff))
    if near:
        acc = ties_near(multiplier, shift, acc)
    product = np.float32(acc) * np.float32(eff)
    assert computed("fp32_rne", acc, multiplier, shift) == half_even(Fraction(float(product)))


@given(ACCUMULATORS, st.integers(0, 31))
def test_shift_rounds_ties_up(acc: int, places: int) -> None:
    expected = (Fraction(acc, 2**places) + Fraction(1, 2)).__floor__() if places else acc
    assert computed("shift", acc, 2**30, 1 - places) == expected


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_tie_goes_where_the_rule_says(rounding: str) -> None:
    """2.5 and −2.5 as 10 · 2^−2 and −10 · 2^−2."""
    expected = {
        "shift": (3, -2),
        "double_rounding": (3, -3),
        "float64_away": (3, -3),
        "fp32_rne": (2, -2),
        "ruy_half_up": (3, -2),
    }
    found = tuple(computed(rounding, acc, 2**30, -1) for acc in (10, -10))
    assert found == expected[rounding]


@given(st.floats(2.0**-31, 255.0))
def test_the_multiplier_is_the_factor_to_31_bits(eff: float) -> None:
    (multiplier,), (shift,) = quantize_multiplier(eff)
    assert 2**30 <= multiplier < 2**31
    exact = Fraction(eff) / Fraction(2) ** (int(shift) - 31)
    assert abs(exact - int(multiplier)) <= Fraction(1, 2) or int(multiplier) == 2**30


@given(st.floats(2.0**-31, 255.0))
def test_the_parts_of_a_float64_factor_are_all_of_it(eff: float) -> None:
    multiplier, shift, fraction = (int(part[0]) for part in float64_parts(eff))
    assert (multiplier + Fraction(fraction, 2**22)) * Fraction(2) ** (shift - 31) == Fraction(eff)


def test_a_factor_too_small_for_any_output_is_zero() -> None:
    assert [int(part[0]) for part in quantize_multiplier(2.0**-40)] == [0, 0]
    assert [int(part[0]) for part in float64_parts(2.0**-40)] == [0, 0, 0]


@pytest.mark.parametrize("eff", [-1.0, float("nan"), float("inf"), 256.0])
def test_factors_that_no_runtime_takes_are_refused(eff: float) -> None:
    with pytest.raises(NetworkError, match="must lie in 0"):
        quantize_multiplier(eff)


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NetworkError, match=r"'up' is not known\. Known: shift, double_rounding"):
        rescale(np.zeros(1, np.int64), np.ones(1, np.int64), np.zeros(1, np.int64), "up")
