"""The target of kind `cpu`: its files, its shared library, its profiles."""

from __future__ import annotations

import ctypes
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, argmax, simulate
from edgeml.profile import Profile, checked, load_profile
from edgeml.targets.c import generate
from edgeml.targets.cpu import CpuTarget
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.network.random_networks import random_inputs
from tests.targets.cpu.bodies import the_compiler


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def built(metrics: Mapping[str, Any], folder: Path, name: str) -> ctypes.CDLL:
    """The shared library, made by the very command that the metrics tell."""
    command = shlex.split(metrics["build"]["cc"])
    subprocess.run([*the_compiler().command, *command[1:]], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / f"lib{name}.so"))


def test_the_shared_library_computes_outputs_and_labels(small_network: Network, tmp_path: Path) -> None:
    the_compiler()
    metrics = CpuTarget().emit(small_network, load_profile("host"), tmp_path, {})
    library = built(metrics, tmp_path / "c", "small")
    q = random_inputs(small_network, 40, 2).astype(np.int8)
    expected = simulate(small_network, q)
    y, arena = np.empty((40, 4), np.int32), np.empty(metrics["batch_arena_bytes"], np.uint8)
    labels = np.empty(40, np.int32)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (q, y, labels, arena)]
    library.small_invoke_batch(pointers[0], ctypes.c_size_t(40), pointers[1], pointers[2], pointers[3])
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(labels, argmax(expected))
    for row in range(40):
        address = [ctypes.c_void_p(array.ctypes.data) for array in (q[row], y[row], arena)]
        assert library.small_invoke(*address) == argmax(expected)[row]


def test_ties_go_to_the_lowest_index(tmp_path: Path) -> None:
    the_compiler()
    quantizer = InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 8, True)
    nodes = (
        Node("input", quantizer),
        Node("dense", Dense(np.array([[0], [1], [0], [1]]), 2, np.zeros(4, int)), ("input",)),
    )
    network = Network("ties", nodes, Output(np.array([1.0])))
    metrics = CpuTarget().emit(network, load_profile("host"), tmp_path, {})
    library = built(metrics, tmp_path / "c", "ties")
    arena, y = np.empty(metrics["arena_bytes"], np.uint8), np.empty(4, np.int32)
    for value, label in ((-3, 0), (0, 0), (5, 1)):
        q = np.array([value], np.int8)
        assert library.ties_invoke(*(ctypes.c_void_p(array.ctypes.data) for array in (q, y, arena))) == label


@pytest.mark.parametrize("profile", ["host", "cpu-x86_64"])
def test_the_same_network_gives_the_same_bytes(small_network: Network, tmp_path: Path, profile: str) -> None:
    for name in ("one", "two/deeper"):
        CpuTarget().emit(small_network, load_profile(profile), tmp_path / name, {})
    assert contents(tmp_path / "one") == contents(tmp_path / "two" / "deeper")


def test_the_bundle_holds_what_generate_gives(small_network: Network, tmp_path: Path) -> None:
    CpuTarget().emit(small_network, load_profile("host"), tmp_path, {})
    generated = {name: text.encode() for name, text in generate(small_network, CPU_DIALECT).files.items()}
    found = contents(tmp_path / "c")
    assert {name: found[name] for name in generated} == generated
    assert set(found) - set(generated) == {
        *("CMakeLists.txt", "README.md", "edgeml/crc32.h", "small_self_test.c", "small_self_test.h"),
        "test/small_test.c",
    }


@pytest.mark.slow
def test_a_library_for_another_machine_is_built_with_zig(small_network: Network, tmp_path: Path) -> None:
    zig = find_compiler("zig")
    if zig is None:
        pytest.skip("ziglang is not installed")
    metrics = CpuTarget().emit(small_network, load_profile("cpu-aarch64"), tmp_path, {})
    command = shlex.split(metrics["build"]["zig"])
    assert command[:2] == ["zig", "cc"]
    subprocess.run([*zig.command, *command[2:]], cwd=tmp_path / "c", check=True)
    content = (tmp_path / "c" / "libsmall.so").read_bytes()
    assert content[:4] == b"\x7fELF"
    assert int.from_bytes(content[18:20], "little") == 183  # EM_AARCH64


def test_a_profile_cannot_smuggle_options_to_the_compiler() -> None:
    profile = Profile("mine", "cpu", "", {"machine": "x86_64", "arch": "native -o elsewhere"})
    with pytest.raises(InputError, match="arch"):
        checked(profile, "mine")


def test_a_network_too_large_for_c_is_refused(small_network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = load_profile("host")
    assert all(result.passed for result in CpuTarget().rules(small_network, profile))
    monkeypatch.setattr("edgeml.targets.cpu.target.MOST_CONSTANTS", 100)
    monkeypatch.setattr("edgeml.targets.c.program.MOST_CONSTANTS", 100)
    assert not all(result.passed for result in CpuTarget().rules(small_network, profile))
    with pytest.raises(InputError, match="at most 100"):
        generate(small_network, CPU_DIALECT)


@pytest.mark.parametrize("name", ["host", "cpu-x86_64", "cpu-aarch64"])
def test_profiles_are_of_kind_cpu(name: str) -> None:
    assert load_profile(name).kind == "cpu"
