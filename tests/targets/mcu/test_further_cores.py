"""Cores that are run on others that have all their instructions, and one whose C is written alone.

zig builds its runtime library once for each of these cores, which takes longer than the tests: most are slow ones.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.errors import InputError
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.mcu import McuTarget
from edgeml.targets.mcu.cores import CORES, core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.runner import NetworkRunner
from edgeml.verification.verify import verify

from .networks import bundle_for, random_inputs, random_network

SLOW = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(("target", "executor"), [SLOW("cortex-m23", "unicorn-m33"), ("ch32v003", "unicorn-rv32")])
def test_a_bundle_verifies_on_the_core_that_has_all_its_instructions(
    target: str, executor: str, tmp_path: Path
) -> None:
    bundle = bundle_for(random_network(1, (20, 24, 5), 2), target, tmp_path)
    verdict, received = verify(bundle, [executor])
    assert (verdict.status, verdict.mismatches, received.status) == ("exact", 0, "exact"), (verdict, received)
    made_for = CORES[str(bundle.profile.values["core"])]
    assert f"which has all instructions of {made_for.title}" in verdict.ran
    assert bundle.manifest["metrics"]["target"]["instructions"] > 0


@pytest.mark.parametrize("bits", [2, SLOW(4), SLOW(8)])
@pytest.mark.parametrize("name", [SLOW("m23"), SLOW("m33-nodsp"), "rv32e"])
def test_every_width_is_exact(name: str, bits: int) -> None:
    network, chip = random_network(bits, (20, 18, 5), bits, min(bits, 4)), core(name)
    firmware = firmware_files(network, chip, {})
    runner = NetworkRunner(Emulator(chip, library_image(firmware, chip, self_test=True)), firmware.program)
    q = random_inputs(network, 1, 40)
    np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))
    assert runner.self_test() == 0
    assert not any("dsp" in stage.code.kernel for stage in firmware.program.layout.stages)


def test_code_for_rv32e_has_its_sixteen_registers_and_no_multiplication() -> None:
    """The emulated core has more of both: what it must not use stays as it was, and is not in the code."""
    from unicorn import riscv_const

    network, chip = random_network(3, (20, 18, 5), 8, 4), core("rv32e")
    firmware = firmware_files(network, chip, {})
    image = library_image(firmware, chip)
    emulator = Emulator(chip, image)
    further = [getattr(riscv_const, f"UC_RISCV_REG_X{number}") for number in range(16, 32)]
    for register in further:
        emulator._uc.reg_write(register, 0x5A5A0000 + register)
    runner = NetworkRunner(emulator, firmware.program)
    q = random_inputs(network, 1, 5)
    np.testing.assert_array_equal(runner.invoke(q), simulate(network, q))
    assert [emulator._uc.reg_read(register) for register in further] == [0x5A5A0000 + each for each in further]

    assert multiplications(emulator) == 0
    plain = core("rv32")
    assert multiplications(Emulator(plain, library_image(firmware_files(network, plain, {}), plain))) > 0


def multiplications(emulator: Emulator) -> int:
    """Instructions of the M extension (opcode OP, funct7 1) in all functions of an image."""
    found = 0
    for symbol in emulator.image.symbols.values():
        if not symbol.function:
            continue
        code, place = emulator.read(symbol.address, symbol.size), 0
        while place + 4 <= len(code):
            word = int.from_bytes(code[place : place + 4], "little")
            found += word & 0x7F == 0x33 and word >> 25 == 1
            place += 4 if word & 3 == 3 else 2
    return found


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
def test_code_for_cortex_m85_runs_on_a_cortex_m55(tmp_path: Path) -> None:
    bundle = bundle_for(random_network(2, (32, 24, 5), 2), "cortex-m85", tmp_path)
    (verdict,) = verify(bundle, ["qemu-mps3-an547"])
    assert (verdict.status, verdict.mismatches) == ("exact", 0), verdict


def test_c_for_xtensa_is_written_and_said_to_be_neither_built_nor_run(tmp_path: Path) -> None:
    bundle = bundle_for(random_network(1, (20, 24, 5), 2), "esp32-s3", tmp_path)
    metrics = bundle.manifest["metrics"]["target"]
    assert metrics["kernels_chosen_by"] == "default order: not measured, zig cc has no Xtensa"
    assert "instructions" not in metrics
    assert (bundle.folder / "c" / "src" / "net.c").is_file()
    with pytest.raises(InputError, match="zig cc has no Xtensa"):
        McuTarget().measure(bundle.network, load_profile("esp32"), {})
    names = [verdict.name for verdict in verify(bundle) if verdict.status == "exact"]
    assert not [name for name in names if name.startswith(("unicorn", "qemu"))]
