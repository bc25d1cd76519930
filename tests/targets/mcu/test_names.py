"""The firmware folder of networks with awkward names builds as it stands: CMake, a compiler alone, and the emulator."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import simulate
from edgeml.targets.c.stub_text import stub_text
from edgeml.targets.mcu.board import Board
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image_build import board_image, library_image
from edgeml.targets.mcu.runner import NetworkRunner
from edgeml.targets.mcu.toolchain import MemoryMap

from .networks import random_inputs, random_network

FEW = ["all", "edgeml", "x" * 200]
NAMES = [*FEW, "test", "main", "project", "edgeml_hil", "edgeml_common", "_stdint", "string", "int", "UART_DATA"]


def firmware_of(name: str, folder: Path) -> Firmware:
    firmware = firmware_files(random_network(3, (8, 6, 3), 2, name=name), core("m4"), {})
    for path, text in firmware.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    assert len({path.lower() for path in firmware.files}) == len(firmware.files)
    assert (folder / "hil" / "edgeml_hil.h").read_text() == stub_text("c/hil/edgeml_hil.h")
    return firmware


@pytest.mark.parametrize("name", NAMES)
def test_every_file_compiles_with_all_folders_on_the_include_path(name: str, tmp_path: Path) -> None:
    """With include/, src/ and hil/ on the include path, where a file called like a system header would hide that."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    firmware_of(name, tmp_path)
    sources = [str(path) for part in ("src", "test", "hil") for path in sorted((tmp_path / part).glob("*.c"))]
    sources.remove(str(tmp_path / "hil" / "board_template.c"))
    command = [
        "gcc",
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Iinclude",
        "-Isrc",
        "-Ihil",
        *sources,
        "-o",
        "program",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([tmp_path / "program"], check=False).returncode == 0


@pytest.mark.parametrize("name", FEW)
def test_they_run_in_the_emulator_and_on_a_board(name: str, tmp_path: Path) -> None:
    firmware = firmware_of(name, tmp_path)
    runner = NetworkRunner(Emulator(core("m4"), library_image(firmware, core("m4"), self_test=True)), firmware.program)
    network = firmware.program.layout.network
    q = random_inputs(network, 1, 10)
    np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))
    assert runner.self_test() == 0
    assert board_image(firmware, core("m4"), Board("", MemoryMap())).flash


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
@pytest.mark.parametrize("name", ["all", *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def test_they_build_and_pass_their_test_with_cmake(name: str, tmp_path: Path) -> None:
    folder, build = tmp_path / "folder", tmp_path / "build"
    made = firmware_of(name, folder).program.layout.name
    for command in (
        ["cmake", "-S", folder, "-B", build],
        ["cmake", "--build", build],
        ["cmake", "--build", build, "--target", f"{made}_hil"],
        ["ctest", "--test-dir", build, "--output-on-failure"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
