"""Elementary functions of sums, products and quotients alone: near the exact values, and what they tend to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from edgeml.frontends.float_operators import elementary
from edgeml.frontends.float_operators.arrays import NUMPY, REPRODUCIBLE
from edgeml.frontends.float_operators.curves import CURVES
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.interval import Interval

RANGES: dict[str, tuple[Any, list[tuple[float, float]]]] = {
    "exp": (mp.exp, [(-700, 700), (-1, 1)]),
    "tanh": (mp.tanh, [(-20, 20), (-1, 1), (-1e-8, 1e-8)]),
    "expm1": (mp.expm1, [(-40, 3), (-1, 1), (-1e-8, 1e-8)]),
    "log1p": (mp.log1p, [(0, 1), (0, 1e-8)]),
    "erf": (mp.erf, [(-6.5, 6.5), (-1e-8, 1e-8)]),
    "sin": (mp.sin, [(-100, 100), (-1e-8, 1e-8)]),
    "cos": (mp.cos, [(-100, 100)]),
}


@pytest.mark.parametrize("name", RANGES)
def test_errors_are_units_of_the_last_place(name: str) -> None:
    exact, ranges = RANGES[name]
    x = np.concatenate([np.random.default_rng(0).uniform(*ends, 300) for ends in ranges])
    found = getattr(elementary, name)(x)
    with mp.workdps(50):
        wanted = [exact(mpf(each)) for each in x.tolist()]
        worst = max(abs(mpf(value) / each - 1) for value, each in zip(found.tolist(), wanted, strict=True))
    assert worst < 2.0**-48  # the proof of thresholds allows 2^-44


def test_ends() -> None:
    ends = np.array([-np.inf, np.inf, 0.0])
    assert elementary.exp(ends).tolist() == [0.0, np.inf, 1.0]
    assert elementary.tanh(ends).tolist() == [-1.0, 1.0, 0.0]
    assert elementary.sigmoid(ends).tolist() == [0.0, 1.0, 0.5]
    assert elementary.erf(ends).tolist() == [-1.0, 1.0, 0.0]


def test_a_value_depends_on_no_other_in_the_array() -> None:
    x = np.linspace(-9.0, 9.0, 41)
    for name in ("exp", "tanh", "expm1", "erf", "sin", "cos"):
        function = getattr(elementary, name)
        assert np.array_equal(function(x), np.concatenate([function(x[k : k + 1]) for k in range(len(x))])), name


@pytest.mark.parametrize("name", CURVES)
def test_curves_turn_where_they_say_and_alike_in_both_libraries(name: str) -> None:
    formula = Formula(name, 0.75 if CURVES[name].takes else 0.0)
    rng = np.random.default_rng(1)
    for low, high in [(-5.0, 5.0), *np.sort(rng.uniform(-6, 6, (30, 2))), (-0.1, 0.1), (0.5, 40.0), (-40.0, -2.0)]:
        box, x = Interval(np.array([low]), np.array([high])), np.linspace(low, high, 2001)
        y = formula.evaluate(x)
        near = np.asarray(formula.compute(REPRODUCIBLE, {}, x))
        assert np.allclose(y, near, rtol=1e-13, atol=1e-15), NUMPY
        reach, (direction,) = formula.output_range(box), formula.direction(box)
        slack = 1e-12 * (1 + np.abs(y).max())
        assert np.all(y >= reach.low - slack)
        assert np.all(y <= reach.high + slack)
        steps = np.diff(y)
        rises, falls = np.any(steps > slack), np.any(steps < -slack)
        assert direction == 0 or not (falls if direction > 0 else rises), (low, high)
        assert direction != 0 or (rises and falls) or high - low < 1e-3 or np.abs(steps).max() < 1e-3
    everywhere = formula.output_range(Interval.unbounded())
    assert not np.any(np.isnan([everywhere.low, everywhere.high]))
