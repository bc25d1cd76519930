"""Cells taken apart: the same integers, and time for faster clocks."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import simulate
from edgeml.targets.fpga.architectures.unrolled.cell_delays import cell_delays
from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, CellKind, Netlist
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic, network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.architectures.unrolled.splitting import with_split_cells
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.timing.delays import DELAY_MODELS
from edgeml.targets.fpga.verilog.element import Element
from tests.network.random_networks import random_inputs

from ...designs import small_network
from ...proof.proved import mlp
from .evaluation import evaluate

ECP5 = DELAY_MODELS["ecp5"]


@pytest.mark.parametrize("seed", range(3))
def test_split_cells_are_the_same_integers_and_leave_time_for_faster_clocks(seed: int) -> None:
    network = small_network(seed, widest=16, deepest=3)
    logic = network_logic(network)
    split, q = with_split_cells(logic, lambda index, cell: True, ECP5.lut_inputs), random_inputs(network, 200, seed)
    assert not any(cell.kind in (CellKind.ADD3, CellKind.REACHED) for cell in split.netlist.cells)
    np.testing.assert_array_equal(evaluate(split, q), simulate(network, q.astype(np.int32)))
    slowest = [max(cell_delays(each.netlist, each.outputs, ECP5)) for each in (split, logic)]
    assert slowest == sorted(slowest)


@pytest.mark.parametrize("width", [1, 4, 5, 8])
@pytest.mark.parametrize("group", [2, 4, 6])
def test_a_comparison_group_by_group_says_what_it_said_for_every_number_and_constant(width: int, group: int) -> None:
    netlist = Netlist(width)
    bits = [Bit(-1, index) for index in range(width)]
    levels = list(range(2**width + 1))
    each = [netlist.add(CellKind.REACHED, bits, [level], 1) for level in levels]
    several = [levels[start : start + 5] for start in range(0, len(levels), 5)]
    counts = [netlist.add(CellKind.REACHED, bits, some, 3) for some in several]
    logic = Logic(
        netlist, Element(1, False), Element(1, False), [*each, *counts], {"all": range(len(netlist.cells))}, {}
    )
    split = with_split_cells(logic, lambda index, cell: True, group)
    assert all(cell.kind is CellKind.TABLE and len(cell.inputs) <= max(group, 5) for cell in split.netlist.cells)
    q = (np.arange(2**width)[:, None] >> np.arange(width)) & 1
    np.testing.assert_array_equal(evaluate(split, q), evaluate(logic, q))
    reached = np.arange(2**width)[:, None] >= np.array(levels)
    np.testing.assert_array_equal(evaluate(split, q)[:, : len(levels)], reached)


@pytest.mark.parametrize("levels", [8, 9, 40, 63])
def test_many_levels_are_counted_by_tables_of_few_bits(levels: int) -> None:
    """A table has as many entries as its inputs have numbers: what 255 levels take is work for ever."""
    netlist = Netlist(6)
    bits = [Bit(-1, index) for index in range(6)]
    constants = np.unique(np.linspace(1, 63, levels).astype(int)).tolist()
    counted = netlist.add(CellKind.REACHED, bits, constants, len(constants).bit_length())
    logic = Logic(netlist, Element(1, False), Element(1, False), [counted], {"all": range(1)}, {})
    split = with_split_cells(logic, lambda index, cell: True, ECP5.lut_inputs)
    assert all(len(cell.inputs) <= 8 for cell in split.netlist.cells)
    assert len(split.netlist.cells) <= 5 * levels
    q = (np.arange(64)[:, None] >> np.arange(6)) & 1
    np.testing.assert_array_equal(evaluate(split, q), evaluate(logic, q))


def test_a_clock_without_time_for_sums_of_three_rows_gets_none() -> None:
    network = mlp((12, 12, 3), 2)
    kinds = {}
    for period in (3000, 20000):
        plan = build(network, Design("unrolled", Pipelining(period_ps=period, delays="ecp5"))).layout.plan
        kinds[period] = {cell.kind for cell in plan.logic.netlist.cells}
    assert CellKind.ADD3 in kinds[20000]
    assert CellKind.ADD3 not in kinds[3000]


def test_a_clock_without_time_for_wide_comparisons_gets_none() -> None:
    network = mlp((60, 12, 3), 2)
    widest = {}
    for period in (3000, 20000):
        plan = build(network, Design("unrolled", Pipelining(period_ps=period, delays="ecp5"))).layout.plan
        cells = [cell for cell in plan.logic.netlist.cells if cell.kind is CellKind.REACHED]
        # Bits below the last one of a constant are not compared.
        compared = [len(c.inputs) + 1 - (level & -level).bit_length() for c in cells for level in c.shape]
        widest[period] = max(compared, default=0)
    assert widest[3000] <= ECP5.joined_inputs < widest[20000]
