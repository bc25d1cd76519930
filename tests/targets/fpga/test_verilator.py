"""Compiled programs: kept for exactly the files that they were made from, and run in several processes at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import EdgemlError
from edgeml.network import simulate
from edgeml.targets.fpga import program_cache, verilation, verilator
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.program_cache import cache_folder, load_program, store_program
from edgeml.targets.fpga.tools import compiler, find_verilator
from edgeml.targets.fpga.verilator import VerilatorExecutor, compile_design
from tests.network.random_networks import random_inputs

from .designs import folded_designs, small_network

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
needs_owners = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners on this system")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without programs, in place of the real one; Verilator's own objects stay where they are."""
    real = cache_folder()
    monkeypatch.setattr(verilation, "cache_folder", lambda: real)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgeml" / "programs"


def _program(folder: Path, content: bytes = b"a program") -> Path:
    path = folder / "program"
    path.write_bytes(content)
    return path


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
            compile_design(build(network, Design("unrolled", register_every=2)), tmp_path / "other")
        patched.setattr(verilation, "_processor", lambda: "another processor")
        with pytest.raises(AssertionError, match="a tool was started"):
            compile_design(built, tmp_path / "moved")
    np.testing.assert_array_equal(again.run(q)[0], simulate(network, q))


def test_a_damaged_program_is_not_used(cache: Path, tmp_path: Path) -> None:
    store_program("key", _program(tmp_path))
    assert load_program("key", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"a program"
    assert os.access(tmp_path / "copy", os.X_OK)
    for damage in (b"", b"\0" * 40, (cache / "key").read_bytes()[:-1]):
        (cache / "key").write_bytes(damage)
        assert not load_program("key", tmp_path / "copy")
        store_program("key", _program(tmp_path))
    assert not load_program("another key", tmp_path / "copy")


@needs_owners
def test_a_cache_that_others_could_write_is_neither_read_nor_written(cache: Path, tmp_path: Path) -> None:
    store_program("key", _program(tmp_path))
    assert cache.stat().st_mode & 0o777 == 0o700
    for writable in (cache / "key", cache, cache.parent):
        mode = writable.stat().st_mode
        writable.chmod(mode | 0o002)
        assert not load_program("key", tmp_path / "copy")
        writable.chmod(mode)
        assert load_program("key", tmp_path / "copy")
    (cache / "linked").symlink_to(cache / "key")
    assert not load_program("linked", tmp_path / "copy")

    cache.rename(cache.parent / "elsewhere")
    cache.symlink_to(cache.parent / "elsewhere")
    assert cache_folder("programs") is None
    assert not load_program("key", tmp_path / "copy")
    store_program("new", _program(tmp_path))
    assert not (cache / "new").exists()


@needs_owners
def test_what_belongs_to_somebody_else_is_not_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_program("key", _program(tmp_path))
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert cache_folder() is None
    assert not load_program("key", tmp_path / "copy")


def test_the_least_recently_used_programs_go_first(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_cache, "_MOST_PROGRAMS", 3)
    for number, key in enumerate("abc"):
        store_program(key, _program(tmp_path, key.encode()))
        os.utime(cache / key, (number, number))
    assert load_program("a", tmp_path / "copy")
    store_program("d", _program(tmp_path))
    assert sorted(path.name for path in cache.iterdir()) == ["a", "c", "d"]
    monkeypatch.setattr(program_cache, "_MOST_BYTES", 100)
    store_program("e", _program(tmp_path, bytes(60)))
    assert [path.name for path in cache.iterdir()] == ["e"]
    store_program("too large", _program(tmp_path, bytes(80)))
    assert [path.name for path in cache.iterdir()] == ["e"]


@needs_verilator
def test_without_a_cache_designs_are_compiled_all_the_same(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("no folder")
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
    assert built.timing is not None
    simulation = compile_design(built, tmp_path)
    frames = 3 * verilator._LEAST_FRAMES + 1
    q = random_inputs(network, frames, 4).astype(np.int32)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, simulate(network, q))
    predicted = list(built.timing.frames)
    assert [ends[: len(predicted)] for ends in counts["parts"]] == [predicted] * 3
    assert counts["clocks"] == 3 * built.latency + (frames - 3) * built.interval
    outputs, counts = simulation.run(q, seed=1, output_pause=20)
    assert len(counts["parts"]) == 1
    np.testing.assert_array_equal(outputs, simulate(network, q))

    for wrong in ([predicted[0] + 1, *predicted[1:]], [*predicted[:-1], predicted[-1] - 1]):
        with pytest.raises(EdgemlError, match="predicts that frames end"):
            VerilatorExecutor._check_timing(built, q, [predicted, wrong])
    late = replace(built, timing=replace(built.timing, frames=tuple(end + 1 for end in predicted)))
    with pytest.raises(EdgemlError, match="predicts that frames end"):
        VerilatorExecutor._check_timing(late, q, [predicted])
