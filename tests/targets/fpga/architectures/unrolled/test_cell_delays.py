"""How long a netlist's cells take: the way to what reaches most, and what is in them."""

from __future__ import annotations

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.unrolled.cell_delays import cell_delays
from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, CellKind, Netlist
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining, delays_in, pipelinings, placed_registers
from edgeml.targets.fpga.architectures.unrolled.stages import slowest_stage
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.options import read_options
from edgeml.targets.fpga.timing.delays import DELAY_MODELS

from ...designs import small_network

MODEL = DELAY_MODELS["xcup"]


def test_the_way_to_a_cell_is_that_of_its_source_that_reaches_most() -> None:
    """Bit 0 goes to five cells, bit 8 to one; an output of the network is one more to reach."""
    netlist = Netlist(10)
    sums = [netlist.add(CellKind.ADD, [Bit(-1, 0), Bit(-1, k)], (1, 1, 0), 2) for k in range(1, 6)]
    alone = netlist.add(CellKind.ADD, [Bit(-1, 8), Bit(-1, 9)], (1, 1, 0), 2)
    last = netlist.add(CellKind.ADD, [alone[0], alone[1]], (1, 1, 0), 2)
    outputs = [alone, last, *sums]
    delays = cell_delays(netlist, outputs, MODEL)
    assert delays[0] == pytest.approx(MODEL.sum(2, MODEL.way(5)))
    assert delays[5] == pytest.approx(MODEL.sum(2, MODEL.way(1)))
    assert delays[6] == pytest.approx(MODEL.sum(2, MODEL.way(2)))
    assert cell_delays(netlist, [last], MODEL)[6] == pytest.approx(MODEL.sum(2, MODEL.way(1)))


def test_a_sum_of_three_rows_has_a_table_before_its_chain() -> None:
    netlist = Netlist(12)
    bits = [Bit(-1, k) for k in range(12)]
    netlist.add(CellKind.ADD, bits[:8], (4, 4, 0), 5)
    netlist.add(CellKind.ADD3, bits, (4, 4, 4), 6)
    two, three = cell_delays(netlist, [], MODEL)
    assert three - two == pytest.approx(MODEL.route + MODEL.lut + MODEL.carry)


def test_a_large_design_has_longer_ways_and_a_part_of_it_has_the_same() -> None:
    logic = network_logic(small_network(2, widest=24, deepest=4))
    whole, small = delays_in(logic, MODEL), delays_in(logic, MODEL, 1.0)
    assert whole.route == small.route
    assert delays_in(logic, MODEL, 1 / 64).route > whole.route
    assert delays_in(logic, MODEL, 1 / 64).lut == MODEL.lut


@pytest.mark.parametrize("clock", [60.0, 150.0, 240.0])
def test_registers_are_placed_for_the_clock_of_the_part(clock: float) -> None:
    """No stage is slower than a clock; with twice the time there are fewer."""
    asked = read_options({"architecture": "unrolled", "clock_mhz": clock})
    budget = asked.at_clock(budget_of(load_profile("xczu7ev")))
    (choices,) = pipelinings(budget, asked)
    assert choices.period_ps == int(1e6 / clock)
    logic = network_logic(small_network(2, widest=24, deepest=4))
    stages = placed_registers(logic, choices)
    slowest = slowest_stage(logic.netlist, logic.outputs, delays_in(logic, MODEL), stages)
    assert slowest <= 1e3 / clock
    twice = Pipelining(period_ps=2 * choices.period_ps, delays=choices.delays)
    assert placed_registers(logic, twice).count < stages.count or stages.count == 1
