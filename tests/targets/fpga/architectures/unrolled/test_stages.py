"""Registers placed by planned delay: no stage is slower than the clock, and no fewer stages would do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.profile import load_profile
from edgeml.proof.claim import PROVED
from edgeml.proof.prove import prove
from edgeml.targets.fpga.architectures.unrolled.cell_delays import cell_delays
from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, CellKind, Netlist
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic, network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.architectures.unrolled.registers import Registers
from edgeml.targets.fpga.architectures.unrolled.stages import (
    Stages,
    path_ends,
    slowest_stage,
    stages_by_delay,
    stages_by_depth,
)
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import DESIGN_FILE, Design, build, verify_files
from edgeml.targets.fpga.options import read_options
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module
from edgeml.targets.fpga.target import FpgaTarget
from edgeml.targets.fpga.timing.delays import DELAY_MODELS
from edgeml.targets.fpga.timing.planned_clock import delays_of

from ...designs import small_network
from ...proof.proved import mlp

ECP5 = DELAY_MODELS["ecp5"]
SEEDS = (2, 3)


def logic_of(seed: int) -> Logic:
    return network_logic(small_network(seed, widest=20, deepest=4))


def staged(logic: Logic, period: float, *, straight: bool = False) -> Stages:
    return stages_by_delay(logic.netlist, logic.outputs, ECP5, period, straight=straight)


def bits(logic: Logic, stages: Stages) -> int:
    return sum(register.width for kept in Registers(logic, stages).by_stage().values() for register in kept)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_stage_is_slower_than_the_period_or_than_a_single_cell(seed: int) -> None:
    logic = logic_of(seed)
    least = ECP5.register + max(cell_delays(logic.netlist, logic.outputs, ECP5))
    counts = []
    for period in (1.0, 4.0, 5.0, 7.5, 11.0, 500.0):
        stages = staged(logic, period)
        assert slowest_stage(logic.netlist, logic.outputs, ECP5, stages) <= max(period, least) + 1e-6
        for cell, stage in zip(logic.netlist.cells, stages.of, strict=True):
            assert 0 <= stage < stages.count
            assert all(stages.of[bit.cell] <= stage for bit in cell.inputs if bit.cell >= 0)
        counts.append(stages.count)
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_stages_are_at_most_as_many_as_cuts_at_any_times_need(seed: int) -> None:
    """The farthest cut that a stage can reach, one after the other: no cuts at times of readiness make fewer stages."""
    logic, period = logic_of(seed), 6.0
    delays = cell_delays(logic.netlist, logic.outputs, ECP5)
    room = max(period - ECP5.register, *delays)
    ready: list[float] = []
    for cell, delay in zip(logic.netlist.cells, delays, strict=True):
        ready.append(delay + max((ready[bit.cell] for bit in cell.inputs if bit.cell >= 0), default=0.0))
    count, cut = 0, 0.0
    while True:
        inside = [0.0] * len(ready)
        for index, cell in enumerate(logic.netlist.cells):
            before = (inside[bit.cell] for bit in cell.inputs if bit.cell >= 0 and ready[bit.cell] > cut + 1e-9)
            inside[index] = delays[index] + max(before, default=0.0)
        late = [end for end, time in zip(ready, inside, strict=True) if end > cut + 1e-9 and time > room + 1e-9]
        count += 1
        if not late:
            break
        cut = max(end for end in ready if end < min(late) - 1e-9)
    assert staged(logic, period).count <= count


@pytest.mark.parametrize("seed", SEEDS)
def test_results_that_leave_straight_have_time_for_what_takes_them(seed: int) -> None:
    """The last stage ends as much earlier as results need to the register that takes them; no stage more than that
    takes is planned."""
    logic = logic_of(seed)
    ends = {bit.cell for bits in logic.outputs for bit in bits if bit.cell >= 0}
    least = ECP5.register + max(ECP5.straight_out, *cell_delays(logic.netlist, logic.outputs, ECP5))
    for period in (1.0, 5.0, 7.5, 9.0, 11.0, 500.0):
        kept, stages = staged(logic, period), staged(logic, period, straight=True)
        assert stages.straight
        assert not kept.straight
        assert kept.count <= stages.count <= kept.count + 1
        assert kept.clocks == kept.count
        assert stages.clocks == max(stages.count - 1, 1)
        assert slowest_stage(logic.netlist, logic.outputs, ECP5, stages) <= max(period, least) + 1e-6
        waited = path_ends(logic.netlist, logic.outputs, ECP5, replace(stages, straight=False))
        for cell, end in enumerate(path_ends(logic.netlist, logic.outputs, ECP5, stages)):
            leaves = cell in ends and stages.of[cell] == stages.clocks
            assert end == pytest.approx(waited[cell] + leaves * 2 * (ECP5.route + ECP5.lut))


def test_registers_by_delay_are_fewer_than_by_levels_of_the_same_clock() -> None:
    logic = logic_of(2)
    levels = stages_by_depth(logic.netlist, 2)
    planned = staged(logic, slowest_stage(logic.netlist, logic.outputs, ECP5, levels))
    assert planned.count <= levels.count
    assert bits(logic, planned) < bits(logic, levels)


def test_a_pipeline_by_delay_proves() -> None:
    network = mlp((6, 8, 3), 1)
    for period, graph in ((3500, "edgeml"), (9000, "edgeml"), (5000, "flat")):
        straight = graph == "flat"
        choices = Pipelining(adder_graph=graph, period_ps=period, delays="ecp5", straight=straight)
        built = build(network, Design("unrolled", choices))
        plan = built.layout.plan
        circuit = circuit_of(read_module(built.files["net_pipeline.v"], "net_pipeline"))
        assert circuit.latency == plan.stages.clocks == plan.stages.count - straight
        proof = prove(network, circuit, artifact_of(circuit, plan.logic))
        assert proof.claims
        assert all(claim.status == PROVED for claim in proof.claims), (period, graph)


def test_the_clock_that_is_asked_for_is_planned_kept_and_written(tmp_path: Path) -> None:
    network, profile = small_network(2, widest=16, deepest=3), load_profile("xc7a35t")
    slow = FpgaTarget().emit(network, profile, tmp_path / "slow", {"architecture": "unrolled", "clock_mhz": 60})
    fast = FpgaTarget().emit(network, profile, tmp_path / "fast", {"architecture": "unrolled", "clock_mhz": 240})
    assert (slow["planned_clock_mhz"], fast["planned_clock_mhz"]) == (60, 240)
    assert slow["cycles"]["latency"] < fast["cycles"]["latency"]
    for folder, clock in (("slow", 60), ("fast", 240)):
        assert json.loads((tmp_path / folder / "rtl" / DESIGN_FILE).read_text())["clock_mhz"] == clock
        said = {path.parent.name: path.read_text() for path in (tmp_path / folder).rglob("*.xdc")}
        assert set(said) == {"axi", "uart"}
        assert all(f"-period {1000 / clock:.3f}" in text for text in said.values())


def test_a_plan_slower_than_the_clock_says_the_clock_that_it_allows() -> None:
    network, profile = small_network(2, widest=16, deepest=3), load_profile("xczu7ev")
    found = FpgaTarget().estimate(network, profile, {"architecture": "unrolled", "register_every": 64})
    assert found["planned_clock_mhz"] < 200
    np.testing.assert_allclose(found["latency_us"], found["cycles"] / found["planned_clock_mhz"])


def test_goal_and_rate_are_heeded_by_an_architecture_that_is_named() -> None:
    network, budget = small_network(2, widest=16, deepest=3), budget_of(load_profile("ecp5-25k"))
    for architecture in ("unrolled", "folded"):
        with pytest.raises(InputError, match=r"option frames_per_second: .*planned"):
            choose(network, budget, {"architecture": architecture, "frames_per_second": 2e8})
    with pytest.raises(InputError, match="option register_every"):
        read_options({"goal": "latency", "register_every": 3})
    built, _ = choose(network, budget, {"architecture": "unrolled", "frames_per_second": 9e7})
    assert built.interval == 1


def test_the_least_time_wins_over_all_architectures() -> None:
    network, budget = small_network(2, widest=16, deepest=3), budget_of(load_profile("ecp5-25k"))

    def time(options: dict[str, object]) -> float:
        built, _ = choose(network, budget, {"goal": "latency", **options})
        return built.latency / min(budget.clock_mhz, 1e3 / built.layout.slowest_path(budget))

    assert time({}) == min(time({"architecture": name}) for name in ("folded", "unrolled"))


def test_the_least_time_is_that_of_a_flat_graph_where_its_stages_are_fewer(tmp_path: Path) -> None:
    network, profile, options = mlp((24, 24, 3), 2), load_profile("xczu7ev"), {"clock_mhz": 400, "goal": "latency"}
    shared, flat, least = (
        choose(network, budget_of(profile), {"architecture": "unrolled", **asked})[0].latency
        for asked in ({"clock_mhz": 400}, {**options, "adder_graph": "flat"}, options)
    )
    assert least == flat < shared
    FpgaTarget().emit(network, profile, tmp_path, options)
    assert json.loads((tmp_path / "rtl" / DESIGN_FILE).read_text())["adder_graph"] == "flat"
    assert verify_files(network, tmp_path / "rtl").latency == least


def test_results_leave_straight_for_the_least_time_alone(tmp_path: Path) -> None:
    """But not into a class unit, which compares them before its first register."""
    network, profile = small_network(2, widest=16, deepest=3), load_profile("ecp5-25k")

    def stages(options: dict[str, object]) -> Stages:
        built, _ = choose(network, budget_of(profile), {"architecture": "unrolled", **options})
        found: Stages = built.layout.plan.stages
        return found

    assert stages({"goal": "latency"}).straight
    assert not stages({}).straight
    assert not stages({"goal": "latency", "argmax": True}).straight
    FpgaTarget().emit(network, profile, tmp_path, {"architecture": "unrolled", "goal": "latency"})
    assert json.loads((tmp_path / "rtl" / DESIGN_FILE).read_text())["straight"] is True
    assert verify_files(network, tmp_path / "rtl").layout.plan.stages.straight


@pytest.mark.parametrize(
    ("part", "longer"),
    [("ecp5-25k", True), ("lifcl-40", True), ("ice40-hx8k", True), ("gw2ar-18", False), ("xczu7ev", False)],
)
def test_an_inverted_bit_of_a_sum_takes_longer_where_a_table_inverts_it_first(part: str, longer: bool) -> None:
    netlist, model = Netlist(8), delays_of(budget_of(load_profile(part)))
    bits = [Bit(-1, place) for place in range(8)]
    plain = netlist.add(CellKind.ADD, bits, (4, 4, 0), 5)
    netlist.add(CellKind.ADD, [*bits[:7], ~bits[7]], (4, 4, 0), 5)
    netlist.add(CellKind.ADD, [*bits[:7], ~Bit(-2, 0)], (4, 4, 0), 5)
    first, inverted, constant = cell_delays(netlist, [plain], model)
    assert inverted - first == pytest.approx(model.inverter)
    assert (model.inverter > model.lut) == longer
    assert constant == first
