"""No sum in a packed word can pass its field at any size that a plan may choose: all cores, all kernels.

A plan is the length of a segment and a shift, from the planner's own functions. The fields are read anew by
`lane_layouts.py`, at the ends of what each sum can be.
"""

from __future__ import annotations

import re
from importlib import resources
from itertools import combinations_with_replacement

import numpy as np
import pytest

from edgeml.targets.c.dense_kernels.straight_line import may_be_written_out
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.dialect import core_kernels, counted_kernels
from edgeml.targets.mcu.kernels import W2LevelsKernel
from edgeml.targets.mcu.kernels.segments import widest_segment
from tests.sweeps import cases

from .lane_layouts import LAYOUTS, Layout, Plan, ends_of_row, planned, problem_of, sums_are_read_right

WHOLE_WORDS = {"w8_block", "mve", "rows", "straight_line", "straight_line_words"}
"""Kernels of which each sum has a word of its own."""
KERNELS = {kernel.name: kernel for core in CORES.values() for kernel in (*core_kernels(core), *counted_kernels(core))}
LONGEST = 1024
"""Inputs of a segment that no plan passes."""
HALF = 2**16


def fits(layout: Layout, weights: tuple[int, int], low: int, high: int, plan: Plan) -> bool:
    """Whether all sums of so many inputs low … high with weights between these two are read right."""
    products = [w * x for w in weights for x in (low, high)]
    ends = (plan.length * min(products), plan.length * max(products))
    return sums_are_read_right(layout, [ends] * layout.outputs, plan.shift)


def room(layout: Layout, weights: tuple[int, int], low: int, high: int) -> int:
    """The largest number of inputs, in eights, that fits with some shift, 0 for none: by bisection over lengths."""
    products = [w * x for w in weights for x in (low, high)]
    down = min(products)

    def some_shift(groups: int) -> bool:  # the one that brings the smallest sum to 0
        shift = -8 * groups * down if any(layout.moved) else 0
        return fits(layout, weights, low, high, Plan(8 * groups, shift))

    fitting, over = 0, LONGEST // 8 + 1
    while over - fitting > 1:
        middle = (fitting + over) // 2
        fitting, over = (middle, over) if some_shift(middle) else (fitting, middle)
    return 8 * fitting


def plan_of(name: str, weights: tuple[int, int], low: int, high: int, inputs: int) -> Plan | None:
    """The plan for a layer of which every word holds sums at both ends: a block of the least weight, one of the
    largest, one whose lanes take turns."""
    block = np.repeat([weights[0], weights[1]], 16)
    rows = np.concatenate([block, np.tile(weights, 8)])
    weight = np.repeat(rows[:, None], inputs, axis=1)
    ends = np.full(inputs, low, np.int64), np.full(inputs, high, np.int64)
    return planned(KERNELS[name], LAYOUTS[name], problem_of(weight, *ends))


def check(name: str, weights: tuple[int, int], low: int, high: int) -> Plan | None:
    """The plan for these ranges fits, its last segment too, and one group more would not."""
    layout = LAYOUTS[name]
    most = room(layout, weights, low, high)
    inputs = min(most + 16, LONGEST + 8)
    plan = plan_of(name, weights, low, high, inputs)
    where = (name, weights, low, high, plan, most)
    if plan is None:
        assert most == 0 or low > 0, where
        return None
    assert plan.length <= most, where
    assert plan.length == most or low > 0, where  # where all inputs are large, a short last segment has another range
    assert fits(layout, weights, low, high, plan), where
    if inputs % plan.length:
        assert fits(layout, weights, low, high, Plan(inputs % plan.length, plan.shift)), where
    return plan


def test_every_kernel_of_every_core_is_looked_at():
    assert set(KERNELS) == LAYOUTS.keys() | WHOLE_WORDS | {"w2_levels"}


def pairs(layout: Layout) -> list[tuple[int, int]]:
    least, largest = layout.weights
    return list(combinations_with_replacement(range(least, largest + 1), 2))


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_plans_at_the_ends_of_the_ranges_fit_and_are_the_longest(name):
    layout = LAYOUTS[name]
    least, largest = layout.weights
    found = [
        check(name, weights, low, high)
        for weights in {(least, largest), (least, least), (largest, largest), (0, largest), (-1, 1), (0, 0)}
        for low, high in ((0, 1), (0, 3), (0, 15), (0, 255), (100, 255), (255, 255))
    ]
    assert sum(plan is not None for plan in found) > len(found) // 3


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_plans_of_all_weights_and_all_ranges_of_inputs_fit_and_are_the_longest(name):
    """2-bit weights: all pairs of ends; wider ones: each with the ends of all. Inputs 0 … each largest one, and from
    every sixteenth one up."""
    layout = LAYOUTS[name]
    least, largest = layout.weights
    weights = pairs(layout) if largest < 7 else [(least, w) for w in range(0, largest + 1, 7 if largest > 7 else 1)]
    weights += [] if largest < 7 else [(w, largest) for w in range(least, 1, 8 if largest > 7 else 1)]
    for pair in weights:
        for high in range(255, 0, -(255 // cases(255))):
            for low in {0, *range(0, high + 1, 64)}:
                check(name, pair, low, high)


def test_no_plan_for_any_weights_lets_a_sum_pass_its_field():
    """Rows of all kinds: sparse, one-sided, unequal; inputs of ranges of their own."""
    generator = np.random.default_rng(0)
    seen = 0
    for trial in range(40):
        for name, layout in LAYOUTS.items():
            inputs, outputs = int(generator.integers(1, 300)), int(generator.integers(1, 20))
            weight = generator.integers(layout.weights[0], layout.weights[1] + 1, (outputs, inputs))
            weight *= generator.random((outputs, inputs)) < generator.random()
            weight[: outputs // 2] = np.abs(weight[: outputs // 2]).clip(max=layout.weights[1])
            high = generator.integers(0, 2 ** generator.integers(1, 9), inputs)
            low = (high * generator.random(inputs) * (trial % 2)).astype(np.int64)
            plan = planned(KERNELS[name], layout, problem_of(weight, low, high))
            if plan is None:
                continue
            seen += 1
            padded = np.zeros((-(-outputs // layout.outputs) * layout.outputs, inputs), np.int64)
            padded[:outputs] = weight
            for first in range(0, inputs, plan.length):
                part = slice(first, first + plan.length)
                ends = [ends_of_row(row[part], low[part], high[part]) for row in padded]
                for begin in range(0, len(ends), layout.outputs):
                    word = ends[begin : begin + layout.outputs]
                    assert sums_are_read_right(layout, word, plan.shift), (trial, name, plan)
    assert seen > 100


def test_a_rule_of_one_bit_more_is_refuted():
    """What a planner that takes fields for wider than they are would plan does not fit."""
    for bits, name in ((9, "w2_lanes4"), (17, "w2_lanes2")):
        weight = np.repeat([[-2], [1]], LONGEST, axis=1).astype(np.int32)
        ends = np.zeros(LONGEST, np.int64), np.full(LONGEST, 255 if bits > 9 else 15, np.int64)
        found = widest_segment(weight, *ends, np.full(2, bits, np.int64), np.ones(2, np.bool_))
        assert found is not None
        plan = Plan(found[0], found[1] + (1 << (bits - 1)))
        assert not fits(LAYOUTS[name], (-2, 1), 0, int(ends[1][0]), plan), name


def halves_hold(count: int, run: int | None) -> bool:
    """Whether `edgeml_sum_u8` is right for so many bytes of 255, in runs of so many."""
    total, left = 0, count
    while left:
        taken = left if run is None else min(left, run)
        halves = (taken // 2 * 255 * 0x10001) % 2**32
        total, left = total + (halves & 0xFFFF) + (halves >> 16), left - taken
    return total == 255 * count


def test_sums_of_bytes_hold_for_every_number_of_inputs_and_the_rule_of_old_is_refuted():
    """Sums of bytes are added in halves of a word: of all inputs of a layer (`w8_block`) or a segment. Formerly there
    were no runs: right up to 514 inputs, wrong from there on."""
    text = (resources.files("edgeml.firmware_stubs") / "c" / "edgeml" / "dense_lanes.h").read_text()
    (run,) = map(int, re.findall(r"#define EDGEML_SUM_RUN (\d+)u", text))
    assert run % 8 == 0
    assert run // 2 * 255 < HALF  # and fewer bytes are less, so that any run holds
    assert all(halves_hold(count, run) for count in range(8, 16 * LONGEST, 8))
    assert next(count for count in range(2, 600, 2) if not halves_hold(count, None)) == 516


@pytest.mark.parametrize("name", sorted(WHOLE_WORDS))
def test_sums_that_have_a_word_of_their_own_fit_it(name):
    """A layer whose sums may pass 32 bits is not taken, or summed in 64; one within them is."""
    for inputs, fitting in ((65793, True), (65797, False)):  # 128 · 255 · 65793 < 2^31 < 128 · 255 · 65797
        if name.startswith("straight_line"):
            continue  # never of so many weights: at most 16384 of at most 128 times 255
        ends = np.zeros(inputs, np.int64), np.full(inputs, 255, np.int64)
        problem = problem_of(np.full((1, inputs), -128), *ends)
        assert problem.fits_int32 is fitting
        if name == "rows":
            assert ("_wide" in KERNELS[name].emit(problem).statements[0]) is not fitting
        else:
            assert KERNELS[name].applies(problem) is fitting


def sums_of_vectors(problem, x: np.ndarray) -> np.ndarray:
    """What `edgeml_dense_mve` sums up of inputs x, in 32 bits: codes by inputs of 16 lanes, field after field, then
    `doubled`, less the offset times all inputs. The codes are read from the constant that is emitted."""
    emitted = KERNELS["mve"].emit(problem)
    bits, offset = (int(each) for each in re.findall(r"(\d+),", " ".join(emitted.statements))[-2:])
    words = next(each for each in emitted.constants if each.name.endswith("_weight")).values
    octets = np.asarray(words, "<u4").view(np.uint8).astype(np.int64)
    fields = 8 // bits
    taken = np.concatenate([x, np.zeros(-len(x) % (16 * fields), np.int64)]).reshape(-1, fields, 16)
    codes = octets.reshape(-1, len(taken), 4, 16)  # [blocks][groups][4 outputs][16 bytes]
    sums = np.zeros((codes.shape[0], 4), np.int64)
    for field in range(fields):
        lowest = codes >> bits * field & (255 if field == fields - 1 else (1 << bits) - 1)  # the last has no mask
        assert lowest.max() < 1 << bits
        sums = (sums + (lowest * taken[:, field][:, None, :]).sum(axis=(1, 3))) % 2**32
    whole = (sums.ravel() << (bits == 1)) - offset * int(x.sum())
    return (whole[: problem.outputs] + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize("ends", [(-1, 1), (-2, 1), (-8, 7), (-128, 127)])
def test_sums_of_the_cortex_m55_are_read_right_from_32_bits(ends):
    """`mve`: VMLADAVA adds products of bytes to a register of 32 bits; codes of 1, 2, 4 and 8 bits, from few inputs to
    the most that 32 bits hold, at the ends of every sum."""
    longest = 2**31 // (255 * max(map(abs, ends)))
    for inputs in (1, 15, 16, 129, 1000, min(longest, 70000) // 4 * 4):
        rows = [ends[:1], ends[1:], ends, ends[::-1], (ends[0], ends[0], ends[1])]
        weight = np.stack([np.resize(row, inputs) for row in rows])
        problem = problem_of(weight, np.zeros(inputs, np.int64), np.full(inputs, 255, np.int64))
        assert KERNELS["mve"].applies(problem)
        for row in weight:
            for x in (np.where(row > 0, 255, 0), np.where(row < 0, 255, 0), np.full(inputs, 255)):
                assert np.array_equal(sums_of_vectors(problem, x), weight @ x), (ends, inputs)


def test_straight_lines_have_few_enough_terms_for_32_bits():
    """One bound for all: of weights of 8 bits so many terms that no sum of bytes passes 32 bits, and none of more."""
    for terms, taken in ((16384, True), (16385, False)):
        weight = np.zeros((1, 40000), np.int32)
        weight[0, :terms] = -128
        assert may_be_written_out(weight) is taken
    assert 16384 * 128 * 255 < 2**31


@pytest.mark.parametrize("weights", [(-2, 1), (-2, -2), (-1, 1), (0, 1), (1, 1), (-2, 0)])
def test_sums_behind_which_thresholds_stand_fit_their_fields(weights):
    """`w2_levels`: the narrower two outputs of four lie in the lower 14 bits from 0 up, the others in the 16 above."""
    for high in (1, 2, 3, 7, 15, 100, 254, 255):
        inputs = most = 0
        while inputs < 20000:
            inputs += 8 if high > 15 else 16 * (16 // high)
            rows = np.repeat(np.repeat([weights[0], weights[1]] * 2, 2)[:, None], inputs, axis=1)
            ends = np.zeros(inputs, np.int64), np.full(inputs, high, np.int64)
            problem = problem_of(rows, *ends, np.zeros((8, 3), np.int32))
            if not W2LevelsKernel().applies(problem):
                break
            most = inputs
        if not most:
            continue
        first, second = ((min(0, w * high * most), max(0, w * high * most)) for w in weights)
        if first[1] - first[0] > second[1] - second[0]:
            first, second = second, first
        for a in first:
            for b in second:
                word = (a - first[0] + (b << 14)) % 2**32
                assert word & 0x3FFF == a - first[0], (weights, high, most)
                upper = (word >> 14) % HALF
                assert upper - HALF * (upper >> 15) == b, (weights, high, most)
