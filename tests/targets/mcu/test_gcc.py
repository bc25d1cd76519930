"""The same firmware built by GCC, with all warnings, gives golden's integers too."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import simulate
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image import read_image
from edgeml.targets.mcu.runner import NetworkRunner
from edgeml.targets.mcu.toolchain import WARNINGS, MemoryMap, linker_script

from .networks import random_inputs, random_network

COMPILERS = {"arm": "arm-none-eabi-gcc", "riscv": "riscv64-unknown-elf-gcc"}


_QUICK = (("m0", "-Os"), ("m4", "-Os"), ("rv32", "-Os"))


@pytest.mark.parametrize(
    ("name", "optimize"),
    [
        pytest.param(name, optimize, marks=() if (name, optimize) in _QUICK else pytest.mark.slow)
        for name in CORES
        for optimize in ("-Os", "-O0", "-O3")
    ],
)
def test_gcc_builds_the_firmware_and_it_is_exact(name: str, optimize: str, tmp_path: Path) -> None:
    chip = CORES[name]
    compiler = COMPILERS[chip.architecture]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for bits in (2, 4, 8):
        network = random_network(bits, (20, 18, 5), bits, min(bits, 4))
        firmware = firmware_files(network, chip, {})
        for path, text in firmware.files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        script = tmp_path / "link.ld"
        script.write_text(linker_script(["net_invoke", "net_self_test"], "net_invoke", MemoryMap()), encoding="utf-8")
        flags = [*chip.gcc_flags.split(), "-std=c99", optimize, "-ffreestanding", *WARNINGS, "-Iinclude", "-Ihil"]
        sources = [*firmware.sources, "hil/net_hil.c"]
        command = [
            compiler,
            *flags,
            *sources,
            "-nostdlib",
            "-Wl,--gc-sections",
            f"-T{script}",
            "-lgcc",
            "-o",
            "net.elf",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        if not chip.unicorn_model:
            continue
        runner = NetworkRunner(Emulator(chip, read_image((tmp_path / "net.elf").read_bytes())), firmware.program)
        q = random_inputs(network, 1, 20)
        np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))
        assert runner.self_test() == 0
