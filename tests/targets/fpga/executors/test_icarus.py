"""Random networks in Icarus Verilog: every integer and every clock count, and no undefined bit after reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.bundle import Bundle
from edgeml.network import simulate
from edgeml.network.network_file import write
from edgeml.system.time_limit import timed_out
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors import icarus as executors_icarus
from edgeml.targets.fpga.executors.icarus import IcarusExecutor, run_bench, run_icarus, seconds_to_elaborate
from edgeml.targets.fpga.tools.programs import icarus
from tests.network.random_networks import random_inputs
from tests.sweeps import cases, seeds

from ..architectures.test_spiking import undefined_after_reset
from ..designs import folded_designs, plain_network, small_network

pytestmark = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")


def _check(seed: int, folder: Path, frames: int) -> int:
    network = small_network(seed)
    q = random_inputs(network, frames, seed).astype(np.int32)
    y = simulate(network, q)
    designs = [*folded_designs(network, 3), Design("unrolled", Pipelining(1 + seed % 3))]
    for number, design in enumerate(designs):
        pause = (0, 90, 200)[(seed + number) % 3]
        outputs, verdict = run_icarus(build(network, design), folder / str(number), q, y, pause=pause)
        assert verdict == f"PASS {frames}"
        np.testing.assert_array_equal(outputs, y)
    return len(designs) * frames


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_random_networks_give_golden_integers_with_pauses(seed: int, tmp_path: Path) -> None:
    _check(seed, tmp_path, 40)


@pytest.mark.slow(scaled=True)
def test_many_random_networks(tmp_path: Path) -> None:
    vectors = sum(_check(seed, tmp_path / str(seed), 60) for seed in seeds(100, 60))
    assert vectors > cases(10_000)


def test_a_wrong_expectation_fails_the_test_bench(tmp_path: Path) -> None:
    network = small_network(3)
    q = random_inputs(network, 20, 3).astype(np.int32)
    wrong = simulate(network, q)
    wrong[7, 0] ^= 1
    _, verdict = run_icarus(build(network, Design("unrolled")), tmp_path, q, wrong)
    assert verdict == "FAIL 1"


@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_no_signal_is_undefined_after_reset(architecture: str, tmp_path: Path) -> None:
    network = small_network(5)
    q = random_inputs(network, 12, 5).astype(np.int32)
    design = folded_designs(network, 2)[-1] if architecture == "folded" else Design("unrolled")
    _, verdict = run_icarus(build(network, design), tmp_path, q, simulate(network, q), pause=80, trace=1)
    assert verdict.startswith("PASS")
    assert undefined_after_reset(tmp_path / "trace.vcd") == []


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bounded")
    write(small_network(3), folder / "net.edgeml")
    return edgeml.convert(folder / "net.edgeml", to="quantized", target="ice40-hx8k", output=folder / "bundle")


def test_a_budget_of_processor_time_decides_how_many_vectors_run(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor, network = IcarusExecutor(), bundle.network
    q = random_inputs(network, 40_000, 1).astype(np.int32)
    given = run_bench
    monkeypatch.setattr(
        executors_icarus, "run_bench", lambda *of, seconds, stops: given(*of, seconds=seconds / 150, stops=stops)
    )
    execution = executor.run_within_budget(bundle, q)
    rows = execution.rows
    assert rows is not None
    assert 0 < len(rows) < len(q)
    np.testing.assert_array_equal(rows, np.arange(len(q))[::-1][: len(rows)])
    np.testing.assert_array_equal(execution.outputs, simulate(network, q[rows]))
    assert f"{len(rows)} of 40000 vectors" in execution.detail


def test_verification_names_the_vector_that_a_bounded_executor_found_wrong(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = run_bench

    def one_value_is_wrong(*arguments: Any, **options: Any) -> Any:
        outputs, verdict = given(*arguments, **options)
        outputs[2, 0] ^= 1
        return outputs, verdict

    vectors = len(bundle.golden()[0])
    monkeypatch.setattr(executors_icarus, "run_bench", one_value_is_wrong)
    (verdict,) = edgeml.verify(bundle, ["icarus"])
    assert (verdict.status, verdict.mismatches) == ("mismatch", 1)
    assert verdict.first_mismatch is not None
    assert verdict.first_mismatch["vector"] == vectors - 3
    monkeypatch.undo()
    (verdict,) = edgeml.verify(bundle, ["icarus"])
    assert (verdict.status, verdict.vectors) == ("exact", vectors)


@pytest.mark.parametrize("known_before", [True, False])
def test_a_design_that_takes_too_long_to_elaborate_is_skipped_by_name(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, known_before: bool
) -> None:
    def runs_out(*_: Any, seconds: float, **__: Any) -> None:
        raise timed_out("iverilog", seconds)

    if known_before:
        monkeypatch.setattr(executors_icarus, "seconds_to_elaborate", lambda built: 1e9)
    else:
        monkeypatch.setattr(executors_icarus, "compile_bench", runs_out)
    (verdict,) = edgeml.verify(bundle, ["icarus"])
    assert verdict.status == "unavailable"
    assert ("would take about 1,000,000,000 s" if known_before else "had not elaborated") in verdict.detail
    assert "--time-limit" in verdict.detail


def test_more_products_and_more_text_take_longer_to_elaborate() -> None:
    designs = [Design("unrolled"), folded_designs(small_network(3), 2)[-1]]
    assert all(0 < seconds_to_elaborate(build(small_network(3), design)) < 1 for design in designs)
    wide = [seconds_to_elaborate(build(plain_network(24 * k, 24 * k), Design("unrolled"))) for k in (1, 2)]
    assert wide[1] > 8 * wide[0]
