"""No sum in a lane of 8 or 16 bits can pass it at any run that a plan may choose: kernels of CPUs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from edgeml.targets.c.dense_kernels.blocks import pairs_run
from edgeml.targets.c.dense_kernels.crumbs import CrumbsKernel
from edgeml.targets.c.dense_kernels.triplets import input_groups, longest_run, table
from tests.targets.mcu.lane_layouts import problem_of


def uniform(weight: int, high: int, inputs: int, other: int | None = None):
    """Two outputs, each with one weight throughout."""
    rows = np.repeat(np.array([[weight], [weight if other is None else other]]), inputs, axis=1)
    return problem_of(rows, np.zeros(inputs, np.int64), np.full(inputs, high, np.int64))


def check_pairs(weight: int, high: int) -> int:
    """The run of pairs of products in 16 bits, each pair summed with saturation: neither may pass."""
    run = pairs_run(uniform(weight, high, 512))
    pair = 2 * weight * high
    assert -(2**15) <= run * pair < 2**15, (weight, high, run)
    assert not (run and 2 * run <= 64 and abs(2 * run * pair) < 2**15), (weight, high, run)
    return run


def test_pairs_of_products_fit_16_bits_for_all_weights_and_the_ends_of_inputs():
    runs = [check_pairs(weight, high) for weight in range(-128, 128, 3) for high in (1, 3, 15, 127, 255)]
    runs += [check_pairs(weight, high) for weight in (-1, 1, 127) for high in range(256)]
    assert min(runs) == 0
    assert max(runs) == 64


@pytest.mark.slow
def test_pairs_of_products_fit_16_bits_for_all_weights_and_inputs():
    for weight in range(-128, 128):
        for high in range(256):
            check_pairs(weight, high)


def test_pairs_of_unequal_products_fit_16_bits_in_each_run():
    generator = np.random.default_rng(0)
    for _ in range(100):
        inputs = int(generator.integers(1, 300))
        weight = generator.integers(-128, 128, (3, inputs)) * (generator.random((3, inputs)) < generator.random())
        high = generator.integers(0, 2 ** generator.integers(1, 9), inputs)
        run = pairs_run(problem_of(weight, np.zeros(inputs, np.int64), high))
        padded = np.zeros((3, -(-inputs // 4) * 4), np.int64)
        padded[:, :inputs] = weight * high
        for lane in (padded[:, [k for k in range(padded.shape[1]) if k // 2 % 2 == half]] for half in (0, 1)):
            for first in range(0, lane.shape[1], max(1, 2 * run)):
                part = lane[:, first : first + 2 * run]
                assert np.maximum(part, 0).sum(axis=1).max(initial=0) < 2**15
                assert np.minimum(part, 0).sum(axis=1).min(initial=0) >= -(2**15)


@pytest.mark.parametrize("high", [0, 1, 2, 3])
@pytest.mark.parametrize("weights", [(-2, 1), (-2, -2), (-1, -1), (-1, 1), (0, 0), (0, 1), (1, 1), (-2, 0)])
def test_entries_of_triplets_fit_a_byte_in_each_run(weights, high):
    """Entries are read from the table itself, for every code of inputs that may come."""
    offset = 3 if weights[0] >= -1 else 6
    codes = {k: 16 * (w + 2) + 4 * (w + 2) + w + 2 for k, w in enumerate((*weights, 0))}
    inputs_that_come = [16 * c + 4 * b + a for a in range(high + 1) for b in range(high + 1) for c in range(high + 1)]
    entries = table(offset)[inputs_that_come][:, list(codes.values())]
    exact = [[w * (x % 4 + x // 4 % 4 + x // 16) + 3 * offset for w in (*weights, 0)] for x in inputs_that_come]
    assert np.array_equal(entries, exact)  # no entry is less than 0 or more than 255
    for inputs in (1, 3, 64, 191, 192, 193, 600):
        members = input_groups(inputs)
        run = longest_run(uniform(weights[0], high, inputs, weights[1]), members, offset)
        assert run * int(entries.max()) <= 255 or run == 1, (weights, high, inputs, run)
        assert int(entries.max()) <= 255


def test_fields_of_crumbs_fit_32_bits_for_as_many_inputs_as_are_taken():
    """A sum of four fields stands 64 times too large: a quarter of the inputs in each, weights of at least -2."""
    for high in range(1, 256):
        small = uniform(-2, high, 16)

        def taken(inputs: int, small=small) -> bool:
            return CrumbsKernel().takes(SimpleNamespace(weight=small.weight, input=small.input, inputs=inputs))

        fitting, over = 1, 2**26
        while over - fitting > 1:
            middle = (fitting + over) // 2
            fitting, over = (middle, over) if taken(middle) else (fitting, middle)
        assert 64 * 2 * high * 4 * -(-fitting // 16) < 2**31, (high, fitting)
        assert 64 * 2 * high * 4 * (fitting // 16 + 2) >= 2**31, (high, fitting)  # nor is much left
