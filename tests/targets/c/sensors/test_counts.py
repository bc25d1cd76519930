"""Lines that make input integers of raw counts: exact, for every count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError
from edgeml.network import InputQuantizer
from edgeml.targets.c.sensors.counts import COUNTS, Count, count_lines, counts_of, read_counts

from .sensed import of_count

SMALL = st.integers(1, 40).map(float)
HALVES = st.integers(-40, 40).map(lambda number: number / 2)
TENTHS = st.integers(1, 50).map(lambda number: number * 0.1)
ANY = st.floats(1e-6, 1e6)


@st.composite
def quantizers(draw: st.DrawFn) -> InputQuantizer:
    """Of any bits; scales at which counts lie halfway and at which they do not."""
    bits, signed = draw(st.integers(1, 8)), draw(st.booleans())
    low = -(2 ** (bits - 1)) if signed else 0
    zero_point = draw(st.integers(low, low + 2**bits - 1))
    scale = draw(st.one_of(SMALL, TENTHS, ANY, st.integers(-8, 8).map(lambda power: 2.0**power)))
    return InputQuantizer(1, np.array([scale]), np.array([draw(st.one_of(HALVES, ANY))]), zero_point, bits, signed)


@settings(max_examples=40, deadline=None)
@given(quantizers(), st.one_of(SMALL, TENTHS, ANY), st.one_of(HALVES, ANY), st.booleans(), st.integers(0, 2**32))
def test_a_line_is_right_about_counts_beside_every_step_and_anywhere(
    quantizer: InputQuantizer, unit: float, origin: float, falling: bool, seed: int
) -> None:
    assume(unit / quantizer.scale[0] < 2**20)
    count = Count(-unit if falling else unit, origin)
    (line,) = count_lines(quantizer, [count])
    generator = np.random.default_rng(seed)
    steps = np.arange(quantizer.low, quantizer.high + 1) - quantizer.zero_point + 0.5
    places = np.rint((steps * quantizer.scale + quantizer.offset - origin) / count.unit)
    near = np.clip((places[:, None] + [-1, 0, 1]).ravel(), -(2**15), 2**15 - 1)
    tried = [-(2**15), 2**15 - 1, *generator.choice(near, 30), *generator.integers(-(2**15), 2**15, 10)]
    for raw in map(int, tried):
        found = line.integer(raw, quantizer.zero_point, quantizer.low, quantizer.high)
        assert found == of_count(quantizer, 0, count, raw), raw


@pytest.mark.parametrize(("scale", "offset"), [(4.0, 0.0), (3.0, 0.5), (2.0, 1.0), (0.4, 0.0)])
def test_counts_that_lie_halfway_go_to_the_even_integer(scale: float, offset: float) -> None:
    """Among them such that no line alone can tell: halfway goes down at one step and up at the next."""
    quantizer = InputQuantizer(1, np.array([scale]), np.array([offset]), 10, 8, True)
    unit = 0.1 if scale < 1 else 1.0
    (line,) = count_lines(quantizer, [Count(unit)])
    for raw in range(-600, 600):
        assert line.integer(raw, 10, -128, 127) == of_count(quantizer, 0, Count(unit), raw)
    assert line.tie


def test_a_sensor_that_never_moves_the_input_gives_one_integer() -> None:
    quantizer = InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 8, False)
    for origin, expected in ((1e9, 255), (-1e9, 0), (7.2, 7)):
        (line,) = count_lines(quantizer, [Count(1e-9, origin)])
        assert {line.integer(raw, 0, 0, 255) for raw in (-(2**15), 0, 2**15 - 1)} == {expected}


def test_counts_are_for_all_inputs_or_for_the_features_of_a_frame() -> None:
    quantizer = InputQuantizer(6, np.ones(1), np.zeros(1), 0, 8, False)
    assert len(count_lines(quantizer, [Count(0.5)])) == 1
    lines = count_lines(quantizer, [Count(0.5), Count(2.0), Count(1.0, 3.0)])
    assert lines[:3] == lines[3:]
    assert len(set(lines)) == 3
    with pytest.raises(InputError, match="counts of 4 features stand for; the network has 6 inputs"):
        count_lines(quantizer, [Count(1.0)] * 4)
    with pytest.raises(InputError, match=r"feature 0.*a count is 2e\+06 steps"):
        count_lines(quantizer, [Count(2e6)])


def test_counts_are_read_from_text_and_from_values() -> None:
    assert read_counts("0.5,-2@1e3") == (Count(0.5), Count(-2.0, 1000.0))
    assert COUNTS.meant([0.5, [-2, 1000]]) == (Count(0.5), Count(-2.0, 1000.0))
    assert COUNTS.meant("0.001") == COUNTS.meant(0.001) == (Count(0.001),)
    assert counts_of({"options": {"counts": "3@1"}}) == (Count(3.0, 1.0),)
    assert counts_of({}) == counts_of({"options": []}) == ()
    for wrong in ("", "0", "1@2@3", "nan", "1@inf", "one", [], [[1, 2, 3]], [None], "1,,2"):
        with pytest.raises(InputError, match="option counts: must be what a sensor's raw count stands for"):
            COUNTS.read(wrong)
