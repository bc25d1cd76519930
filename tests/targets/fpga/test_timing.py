"""The cycle model against Verilator, and the executors' refusal of RTL that is not the network's."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import simulate
from edgeml.targets.fpga.architectures.folded.folding_choice import foldings_for_interval
from edgeml.targets.fpga.architectures.folded.plan import make_plan
from edgeml.targets.fpga.architectures.folded.timing import size_fifos, solve
from edgeml.targets.fpga.architectures.unrolled.netlist import CellKind
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import DESIGN_FILE, Design, build, verify_files
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs

from .designs import folded_designs, plain_network, small_network

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def _check(seed: int, folder: Path, design: Design, vectors: int) -> None:
    network = small_network(seed, widest=24, deepest=4)
    built = build(network, design)
    simulation = compile_design(built, folder)
    q = random_inputs(network, vectors, seed).astype(np.int32)
    y = simulate(network, q)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, y)
    assert counts["ends"][: len(built.clocks.frames)] == list(built.clocks.frames)
    for run, (input_pause, output_pause) in enumerate([(128, 0), (0, 128), (60, 200)]):
        pauses = {"input_pause": input_pause, "output_pause": output_pause}
        outputs, counts = simulation.run(q, seed=seed + run, resets=3, **pauses)
        np.testing.assert_array_equal(outputs, y)
        assert counts["resets"] > 0


@verilator
@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_folded_designs_take_exactly_the_predicted_clocks(seed: int, tmp_path: Path) -> None:
    design = folded_designs(small_network(seed, widest=24, deepest=4), 2)[-1]
    _check(seed, tmp_path, design, 2000)


@verilator
def test_unrolled_designs_take_exactly_the_predicted_clocks(tmp_path: Path) -> None:
    _check(2, tmp_path, Design("unrolled"), 2000)


@verilator
@pytest.mark.parametrize("period", [7000, 500_000])
def test_results_that_pass_the_fifo_by_take_exactly_the_predicted_clocks(period: int, tmp_path: Path) -> None:
    """Of several stages, of which the last has no register, and of a single one; with pauses at
    either side, too."""
    choices = Pipelining(period_ps=period, delays="ecp5", straight=True)
    built = build(small_network(2, widest=24, deepest=4), Design("unrolled", choices))
    assert built.latency == (4 if period == 7000 else 2)
    _check(2, tmp_path, Design("unrolled", choices), 1000)


@verilator
@pytest.mark.slow
@pytest.mark.parametrize("seed", [10, 11, 12])
def test_many_vectors_with_pauses_and_resets(seed: int, tmp_path: Path) -> None:
    """Four runs of 5,000 vectors each, for a folded design and an unrolled one: 120,000 in all."""
    network = small_network(seed, widest=24, deepest=4)
    for number, design in enumerate([folded_designs(network, 2)[-1], Design("unrolled", Pipelining(2))]):
        _check(seed, tmp_path / str(number), design, 5000)


def test_no_adder_takes_bits_that_its_sum_cannot_hold() -> None:
    """Such bits are always zero, and lint names them as unused; seed 13 has complements with leading zeros."""
    for seed in (2, 13):
        for cell in network_logic(small_network(seed, widest=24, deepest=4)).netlist.cells:
            if cell.kind in (CellKind.SMALL_ADD, CellKind.ADD):
                assert max(cell.shape[:2]) <= cell.outputs


def test_the_interval_is_that_of_the_slowest_unit() -> None:
    for seed in range(40):
        network = small_network(seed, widest=40, deepest=5)
        for interval in (3, 17, 90, 100_000):
            folds = foldings_for_interval(network, interval)
            if folds is None:
                continue
            plan = make_plan(network, folds)
            timing = size_fifos(plan)
            slowest = max([chain.clocks_per_frame for chain in plan.chains] + [plan.input_beats])
            assert slowest <= max(interval, plan.input_beats)
            assert timing.interval == slowest
            ends = solve(plan, 30).frames
            assert {after - before for before, after in pairwise(ends[-12:])} == {slowest}
            assert timing.latency >= solve(plan, unlimited=True).latency


@pytest.mark.parametrize("widths", [(16, 16, 16, 16), (24, 24, 20, 30), (16,) * 50])
def test_one_place_fewer_in_a_line_of_layers_is_too_few(widths: tuple[int, ...]) -> None:
    plan = make_plan(plain_network(*widths), {})
    interval = size_fifos(plan).interval
    assert interval == max(chain.clocks_per_frame for chain in plan.chains)
    deepened = [chain for chain in plan.chains if chain.fifo_depth > chain.latency + 2]
    assert deepened
    for chain in deepened[:3]:
        chain.fifo_depth -= 1
        assert solve(plan).interval > interval
        chain.fifo_depth += 1


@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_rtl_that_is_not_the_networks_is_refused(architecture: str, tmp_path: Path) -> None:
    network = small_network(3)
    design = folded_designs(network, 1)[0] if architecture == "folded" else Design("unrolled")
    built = build(network, design)
    for name, content in built.files.items():
        (tmp_path / name).write_bytes(content)
    assert verify_files(network, tmp_path).files == built.files

    core = tmp_path / f"{built.core}.v"
    core.write_bytes(built.files[core.name] + b"// harmless?\n")
    with pytest.raises(InputError, match="is not what this network and design give"):
        verify_files(network, tmp_path)
    core.write_bytes(built.files[core.name])

    for content in ("[]", "{", json.dumps({"format": 1, "architecture": "magic"}), '{"format": 1, "folds": 7}'):
        (tmp_path / DESIGN_FILE).write_text(content)
        with pytest.raises(InputError):
            verify_files(network, tmp_path)
    huge = {"format": 1, "architecture": "folded", "folds": {"fc0": {"pe": 10**9, "simd": 1}}}
    (tmp_path / DESIGN_FILE).write_text(json.dumps(huge))
    with pytest.raises(InputError, match="counts must lie"):
        verify_files(network, tmp_path)
