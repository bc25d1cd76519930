"""Compiled programs: kept for exactly the files that they were made from, and run in several processes at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import simulate
from edgeml.system import cache as cache_module
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors import verilator
from edgeml.targets.fpga.executors.verilator import VerilatorExecutor, compile_design
from edgeml.targets.fpga.tools import verilation
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs

from ..designs import folded_designs, small_network

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without simulations, in place of the real one; Verilator's own objects come from there."""
    real = cache_module.cache_place() / "verilator"
    place = tmp_path / "cache"
    place.mkdir(mode=0o700)
    if real.is_dir():
        shutil.copytree(real, place / "verilator")
    monkeypatch.setenv("EDGEML_CACHE", str(place))
    return place / "simulations"


@needs_verilator
def test_a_program_is_compiled_once_for_the_same_files_and_again_for_others(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = small_network(3)
    built = build(network, Design("unrolled"))
    q = random_inputs(network, 50, 3).astype(np.int32)
    compile_design(built, tmp_path / "first")
    assert len(list(cache.iterdir())) == 1

    def no_tool(*arguments: object) -> str:
        raise AssertionError("a tool was started")

    with monkeypatch.context() as patched:
        patched.setattr(verilation, "run", no_tool)
        again = compile_design(built, tmp_path / "again")
        with pytest.raises(AssertionError, match="a tool was started"):
            compile_design(build(network, Design("unrolled", Pipelining(2))), tmp_path / "other")
        patched.setattr(verilation, "_processor", lambda: "another processor")
        with pytest.raises(AssertionError, match="a tool was started"):
            compile_design(built, tmp_path / "moved")
    np.testing.assert_array_equal(again.run(q)[0], simulate(network, q))


@needs_verilator
def test_without_a_cache_designs_are_compiled_all_the_same(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "file"))
    network = small_network(3)
    q = random_inputs(network, 20, 3).astype(np.int32)
    simulation = compile_design(build(network, Design("unrolled")), tmp_path / "design")
    np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))


@needs_verilator
@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_processes_share_the_frames_and_each_takes_the_predicted_clocks(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verilator, "processors", lambda: 3)
    network = small_network(4)
    design = folded_designs(network, 2)[-1] if architecture == "folded" else Design("unrolled")
    built = build(network, design)
    simulation = compile_design(built, tmp_path)
    frames = 3 * verilator._LEAST_FRAMES + 1
    q = random_inputs(network, frames, 4).astype(np.int32)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, simulate(network, q))
    predicted = list(built.clocks.frames)
    assert [ends[: len(predicted)] for ends in counts["parts"]] == [predicted] * 3
    assert counts["clocks"] == 3 * built.latency + (frames - 3) * built.interval
    outputs, counts = simulation.run(q, seed=1, output_pause=20)
    assert len(counts["parts"]) == 1
    np.testing.assert_array_equal(outputs, simulate(network, q))

    for wrong in ([predicted[0] + 1, *predicted[1:]], [*predicted[:-1], predicted[-1] - 1]):
        with pytest.raises(CheckFailed, match="predicts that frames end"):
            VerilatorExecutor._check_timing(built, q, [predicted, wrong])
    late = replace(built, clocks=replace(built.clocks, frames=tuple(end + 1 for end in predicted)))
    with pytest.raises(CheckFailed, match="predicts that frames end"):
        VerilatorExecutor._check_timing(late, q, [predicted])
