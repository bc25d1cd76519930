"""What build systems get beside the C of a CPU bundle: it builds, and its self-test sees wrong C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgeml.network import Network
from edgeml.profile import load_profile
from edgeml.targets.cpu import CpuTarget
from edgeml.targets.cpu.compiler import WARNINGS
from tests.targets.cpu.bodies import the_compiler

PORTABLE = ("-O1", "-DEDGEML_PORTABLE")


@pytest.fixture
def folder(small_network: Network, tmp_path: Path) -> Path:
    CpuTarget().emit(small_network, load_profile("host"), tmp_path, {})
    return tmp_path / "c"


def returned(folder: Path) -> int:
    """What the test program returns, built by hand as the README says."""
    sources = [*(path.name for path in folder.glob("*.c")), "test/small_test.c"]
    command = [*the_compiler().command, *WARNINGS, *PORTABLE, "-I.", "-o", "tested", *sources]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run([folder / "tested"], check=False).returncode


def test_the_self_test_passes_and_sees_a_wrong_batch_and_a_wrong_single_call(folder: Path) -> None:
    assert returned(folder) == 0
    source = folder / "small.c"
    right = source.read_text()
    block = "small_layers(input + done * 12u, 8, output"
    assert right.count(block) == 1
    source.write_text(right.replace(block, "small_layers(input + (done + 1) * 12u, 8, output"))
    assert returned(folder) == 1
    single = "small_layers(input, 1, output"
    assert right.count(f"{single}, &label, NULL") == 1
    source.write_text(right.replace(f"{single}, &label, NULL", "small_layers(input + 12, 1, output, &label, NULL"))
    assert returned(folder) in (1, 2)


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_builds_the_library_and_runs_the_test(folder: Path, tmp_path: Path) -> None:
    the_compiler()
    build = tmp_path / "build"
    for command in (
        ["cmake", "-S", folder, "-B", build, "-DSMALL_OPTIONS=-DEDGEML_PORTABLE"],
        ["cmake", "--build", build],
        ["ctest", "--test-dir", build, "--output-on-failure"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    assert list(build.glob("libsmall.*"))


def test_every_file_is_filled_in_and_names_its_sources(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert {"README.md", "CMakeLists.txt", "small_self_test.c", "small_self_test.h", "test/small_test.c"} <= set(files)
    for path, text in files.items():
        if not path.startswith(("edgeml/", "LICENSE")):
            assert "@" not in text, path
    for path in files:
        if path.endswith(".c") and "/" not in path:
            assert f"${{CMAKE_CURRENT_LIST_DIR}}/{path}" in files["CMakeLists.txt"]
    assert "-march=native" in files["CMakeLists.txt"]
