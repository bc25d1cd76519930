"""No lane of the bodies for NEON and AVX-512, of counted bits and of bit planes can pass its bits, whatever is planned.

What a lane adds is written down anew, from the C that stands beside each test; limits that the C has are read from it.
Sums of 32 bits are right modulo 2^32 where the layer's own fit: kernels take no others
(`tests/targets/mcu/test_lanes.py`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from edgeml.network import Dense
from edgeml.targets.c.dense_kernels.bits import BitsProblem, PackedBits
from edgeml.targets.c.dense_kernels.bits_rows import BitsRowsKernel
from edgeml.targets.c.dense_kernels.blocks import pairs_run
from edgeml.targets.c.dense_kernels.levels import Levels
from edgeml.targets.c.dense_kernels.triplets import TripletsKernel, input_groups, longest_run
from edgeml.targets.c.sliced.sums import Sums, additions
from edgeml.targets.c.tensor import Tensor
from edgeml.targets.mcu.kernels.bits_columns import BitsColumnsKernel
from tests.targets.mcu.lane_layouts import problem_of

HALF = 2**16


def text_of(name: str) -> str:
    return (resources.files("edgeml.firmware_stubs") / "c" / "edgeml" / name).read_text()


def uniform(rows: list[int], high: int, inputs: int, thresholds: np.ndarray | None = None):
    """A layer of outputs with one weight each, inputs 0 … high."""
    weight = np.repeat(np.array(rows)[:, None], inputs, axis=1)
    return problem_of(weight, np.zeros(inputs, np.int64), np.full(inputs, high, np.int64), thresholds)


@pytest.mark.parametrize("high", [0, 1, 3, 15, 127, 255])
def test_products_of_quads_fit_a_lane_of_neon_in_each_run(high):
    """dense_quads.h, NEON: a lane of 16 bits adds one product of each quad of a run, at least of one quad."""
    for weight in range(-128, 128):
        run = max(pairs_run(uniform([weight], high, 512)), 1)
        assert -(2**15) <= run * weight * high < 2**15, (weight, high, run)


def test_products_of_crumbs_fit_the_lanes_of_each_body():
    """dense_crumbs.h: codes 0 … 3 by bytes; NEON adds 4 of each sixteen inputs to a lane of 16 bits, AVX2 8 of one
    sixteen to a signed one; AVX-512 adds codes up to 64 times too large to 32 bits (`test_lanes.py`)."""
    (run,) = set(map(int, re.findall(r"first \+= (\d+)\) \{", text_of("dense_crumbs.h"))))
    assert 4 * run * 3 * 255 < HALF <= 4 * (run + 1) * 3 * 255
    assert HALF // 2 > 8 * 3 * 255


@pytest.mark.parametrize("weights", [(-2, 1), (-2, -2), (-1, 1), (1, 1)])
def test_sums_of_triplets_are_read_right_from_16_bits(weights):
    """dense_triplets.h: runs in bytes, sums modulo 2^16 that begin less all offsets; AVX-512 has the sum of an output
    and 2^8 times that of the next in one word, and takes the second off again."""
    seen = 0
    for inputs in (1, 3, 190, 600, 6000):
        for high in (1, 3):
            problem = uniform(list(weights), high, inputs, np.array([[1, 2], [1, 2]], np.int32))
            problem = replace(problem, padding=64)
            if not TripletsKernel().applies(problem):
                assert max(map(abs, weights)) * high * inputs >= 2**15, (weights, inputs, high)
                continue
            offset = 3 if min(weights) >= -1 else 6
            members = input_groups(inputs)
            run, centre = longest_run(problem, members, offset), Levels.of(problem).centre
            start = [int(-c) - 3 * offset * len(members) for c in centre]
            for x in (0, high):
                there = (members < inputs).sum(axis=1) * x
                entries = [(weight * there + 3 * offset) for weight in weights]
                both, upper = start[0], 0
                for first in range(0, len(members), run):
                    parts = [int(each[first : first + run].sum()) % 256 for each in entries]
                    both, upper = both + parts[0] + (parts[1] << 8), upper + parts[1]
                for found, output in ((both - (upper << 8), 0), (upper + start[1], 1)):
                    exact = weights[output] * x * inputs - int(centre[output])
                    assert (found + HALF // 2) % HALF - HALF // 2 == exact, (weights, inputs, high, x)
                    seen += 1
    assert seen >= 20


@pytest.mark.parametrize("bits", [8, 16])
def test_sums_that_saturate_decide_as_they_are(bits):
    """levels.h: sums less the centre are packed to 16 bits, then to 8, with saturation, and compared with gt."""
    generator = np.random.default_rng(bits)
    seen = 0
    for _ in range(200):
        inputs, high = int(generator.integers(1, 300)), int(generator.integers(1, 256))
        least, most = -2 * high * inputs, high * inputs
        near = int(generator.integers(least, most + 1))
        spread = int(generator.choice([40, 254, 255, 256, 20000, 65534, 65535]))
        offsets = np.sort(generator.integers(0, spread + 1, (2, 5)), axis=1)
        offsets[:, 0], offsets[:, -1] = 0, spread
        thresholds = (near + offsets).astype(np.int32)
        levels = Levels.of(uniform([-2, 1], high, inputs, thresholds))
        if not levels.fits(bits):
            continue
        seen += 1
        for output, (low, top) in enumerate(((least, 0), (0, most))):
            points = np.concatenate([thresholds[output], thresholds[output] - 1, [low, top]])
            acc = np.unique(np.clip(points, low, top)).astype(np.int64)
            packed = acc - levels.centre[output]
            for size in (16, 8) if bits == 8 else (16,):
                packed = np.clip(packed, -(1 << size - 1), (1 << size - 1) - 1)
            reached = (packed[:, None] > levels.filled(bits)[output]).sum(axis=1) + levels.base[output]
            assert np.array_equal(reached, (acc[:, None] >= thresholds[output]).sum(axis=1))
    assert seen > 20


def counted(rows: list[list[int]], thresholds: np.ndarray | None = None) -> BitsProblem:
    """A layer on bits that lie in memory: of each row (weight, how many), the others 0."""
    width = -(-max(sum(row[1::2]) for row in rows) // 64) * 64
    weight = np.zeros((len(rows), width), np.int64)
    for output, row in enumerate(rows):
        laid = np.repeat(row[0::2], row[1::2])
        weight[output, : len(laid)] = laid
    ends = np.minimum(weight, 0).sum(axis=1), np.maximum(weight, 0).sum(axis=1)
    ctype, bias = ("int32_t" if thresholds is None else "uint8_t"), np.zeros(len(rows), np.int64)
    y = Tensor("y", len(rows), ctype, 0, *ends, -(-len(rows) // 16) * 16)
    return BitsProblem(PackedBits(width // 32, weight, bias), bias, thresholds, y, "layer", "bits")


@pytest.mark.parametrize("weights", [(1, -1), (1,), (-1,), (2, -2), (2,)])
def test_planes_of_counted_bits_hold_every_count_and_a_threshold_that_none_reaches(weights):
    """bits_columns.h: carry-save adders, a plane for each bit of a count; counts are of ones where a weight is above 0,
    of zeros where it is below."""
    step = max(map(abs, weights))
    for power in range(1, 17):
        for largest in {max(2**power - few * step, step) for few in (0, 1, 2)}:
            number, rest = divmod(largest // step, len(weights))
            row = [part for w in weights for part in (w, number + (rest if w == weights[0] else 0))]
            problem = counted([row])
            total = int(np.abs(problem.bits.weight).sum())
            assert BitsColumnsKernel(False).applies(problem) == (total <= 65534), total
            if total <= 65534 and power in (1, 4, 5, 9, 16):
                (planes,) = {
                    int(found)
                    for line in BitsColumnsKernel(False).emit(problem).statements
                    for found in re.findall(r"uint32_t counts\[(\d+)\]", line)
                }
                assert total + 1 < 1 << planes
                assert planes == 5 or total + 1 >= 1 << planes - 1  # and none is in vain


def test_lanes_that_count_bits_hold_them():
    """bits_rows.h, NEON: a lane of 16 bits adds the bits of two bytes of each word; AVX2: a byte adds those of two
    halves of a byte, then eight bytes are added to 64 bits; AVX-512 counts 64 bits in 64."""
    for times, most in ((1, 4095), (2, 2047)):
        problem = counted([[times, 64 * most]])
        assert BitsRowsKernel().applies(problem)
        assert times * most * 16 < HALF
        assert not BitsRowsKernel().applies(counted([[times, 64 * (most + 1)]]))
    assert HALF <= 4096 * 16
    assert 4 + 4 <= 255


def test_sums_of_planes_lie_apart_and_hold_what_is_added():
    """sums.py: as many sums in a row as fit, each of as many planes as its largest has bits."""
    for length in range(1, 32):
        for outputs in (1, 2, 3, 5, 64, 65, 130):
            sums = Sums(7, length, [0] * outputs)
            planes = [sums.plane(output, bit) for output in range(outputs) for bit in range(length)]
            assert len(set(planes)) == len(planes)
            assert min(planes) >= 7
            assert max(planes) < 7 + sums.planes
            for output in range(outputs):  # no field lies across two words
                within = [(sums.plane(output, bit) - 7) % 65 // 32 for bit in range(length)]
                assert len(set(within)) == 1, (length, output)
    weight = np.full((1, 6250), 127)
    assert additions(Dense(np.full((1, 6250), -128), 8, np.zeros(1, np.int64))) == 6250
    assert additions(Dense(weight, 8, np.zeros(1, np.int64))) == 7 * 6250
    assert 50_000 * 128 < 2**31  # of so many additions, each of a bit of at most 8, layers are taken (chain.py)
