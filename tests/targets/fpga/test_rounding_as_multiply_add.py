"""Rounding rules as one multiplication and a shift: the same integers for every accumulator in range."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import ValueRange
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.fpga.rounding_as_multiply_add import fit_line, layer_levels

from .forms import requantize


@pytest.mark.parametrize("powers_of_two", [False, True])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_line_gives_the_rules_integers_for_every_accumulator(rounding: str, powers_of_two: bool) -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(12):
        eff = 2.0 ** rng.uniform(-10, -1, 1)
        eff = 2.0 ** np.rint(np.log2(eff)) if powers_of_two else eff
        layer = requantize(rounding, eff, zero_point=int(rng.integers(-100, 100)), low=int(rng.integers(-128, 0)))
        low, high = -int(rng.integers(1, 200 / eff[0])), int(rng.integers(1, 200 / eff[0]))
        (levels,), base = layer_levels(layer, ValueRange(np.array([low]), np.array([high])))
        line = fit_line(levels, clipped=True)
        if line is None:
            continue
        found += 1
        x = np.arange(low, high + 1)
        np.testing.assert_array_equal(np.clip(line(x), 0, levels.count) + base, layer.evaluate(x[:, None])[:, 0])
        assert line.multiplier.bit_length() <= 32
    assert found >= 10
