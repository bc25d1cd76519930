"""Firmware for the Cortex-M55 is proved, its vector instructions included; faults in it are refuted."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from edgeml.errors import CheckFailed, MissingTool
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.checkers.words import check_certificate
from edgeml.proof.claim import NOT_TRIED, OPEN, PROVED, REFUTED
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.proof import prover
from edgeml.targets.mcu.proof.emulated_core import emulated_core_missing
from edgeml.targets.mcu.proof.followed import Followed
from edgeml.targets.mcu.proof.instruction_sets import followed_cores
from edgeml.targets.mcu.qemu_core import QemuCore
from tests.targets.c.encode_networks import bits_network
from tests.targets.logic_networks import random_logic_network
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import firmware_of, follow, rows
from tests.targets.mcu.proof.test_machine_code import whole
from tests.targets.mcu.proof.test_mutants import constant, refuted
from tests.targets.mcu.proof.test_packed_bits import in_folder
from tests.targets.mcu.test_forms import int8_network
from tests.targets.tables_networks import kan

needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
NARROW = random_network(3, (70, 12, 5), 2, activation_bits=2, input_bits=4)
EIGHT = random_network(3, (16, 12, 5), 8, activation_bits=2, input_bits=8)


@needs_qemu
@pytest.mark.parametrize("bits", [1, 2, 4, pytest.param(8, marks=pytest.mark.slow)])
def test_dense_layers_of_all_widths_are_proved(bits):
    """Codes of 1, 2, 4 and 8 bits, in several groups and alone, and what fills their last vector."""
    network = random_network(bits, (70, 12, 5), bits, activation_bits=2, input_bits=4)
    firmware = firmware_of(network, "m55")
    assert {stage.code.kernel for stage in firmware.program.layout.stages} == {"", "mve"}
    found = rows(network, "m55")
    assert whole(found)
    assert {row.status for row in found.values() if not row.claims} == {NOT_TRIED}


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_rounding_is_proved(rounding):
    assert whole(rows(int8_network(rounding, 1), "m55"))


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("network", [kan(1, (3, 4, 2), 2, 4), random_logic_network(1), bits_network(2, 6)])
def test_tables_functions_and_packed_bits_are_proved(network):
    assert whole(rows(network, "m55"))


FAULTS = [
    (NARROW, '"vshr.u8 q1, q1, #" #bits "\\n"', '"vshr.u8 q1, q0, #" #bits "\\n"'),
    (NARROW, '"vand q6, q2, q4\\n"', '"vand q6, q1, q4\\n"'),
    (NARROW, '"movs  r6, #0\\n"', '"movs  r6, #1\\n"'),
    (NARROW, "EDGEML_MVE_BODY(3, EDGEML", "EDGEML_MVE_BODY(7, EDGEML"),
    (NARROW, '"dls   lr, r5\\n"', '"sub r5, #1\\ndls lr, r5\\nadd r5, #1\\n"'),
    (EIGHT, 'EDGEML_MVE_PRODUCT("r8", "q2") EDGEML', 'EDGEML_MVE_PRODUCT("r8", "q1") EDGEML'),
    (EIGHT, '"ldr   r7, [r0, #16]\\n"', '"ldr   r7, [r0, #16]\\nadd r7, #1\\n"'),
]


@needs_qemu
@pytest.mark.parametrize(
    ("network", "old", "new"),
    [pytest.param(*case, marks=() if k % 3 == 0 else pytest.mark.slow) for k, case in enumerate(FAULTS)],
)
def test_a_fault_in_the_kernel_is_refuted(network, old, new):
    found = rows(network, "m55", "", {old: new})
    assert refuted(found), found


@needs_qemu
@pytest.mark.parametrize(("name", "place"), [("dense0_weight", 5), ("dense1_bias", 0)])
def test_a_fault_in_a_constant_is_refuted(name, place):
    firmware = firmware_of(NARROW, "m55")
    assert refuted(rows(NARROW, "m55", "", constant(firmware, f"net_layer_{name}", place, 1)))


@needs_qemu
def test_a_vector_that_is_read_outside_its_object_is_refuted():
    found = rows(NARROW, "m55", "", {'"ldr   r11, [r0, #0]\\n"': '"ldr   r11, [r0, #0]\\nadd r11, r11, #65536\\n"'})
    assert found["memory"].status == REFUTED
    assert "in the emulator" in found["memory"].detail


@needs_qemu
def test_an_instruction_that_is_not_known_is_not_called_proved():
    """The exclusive or does the same there: what is not known is not guessed."""
    found = rows(NARROW, "m55", "", {'"movs  r4, #0\\n"': '"veor q5, q5, q5\\nmovs  r4, #0\\n"'})
    assert found["dense0"].status == OPEN
    assert "does not know" in found["dense0"].detail
    assert found["dense0"].proved == 0


@needs_qemu
def test_the_operations_give_what_the_emulator_gives_and_follow_the_checker(tmp_path):
    firmware = firmware_of(NARROW, "m55")
    followed = follow(firmware, "m55")
    assert followed.differs(np.random.default_rng(1).integers(0, 16, (8, 70)).astype(np.int32)) == ""
    folder = in_folder(firmware, "m55", tmp_path / "b")
    assert all(claims == proved > 0 for claims, proved in check_certificate(folder, "machine_code").values())
    path = folder / "proof" / "machine_code" / "operations.json"
    content = json.loads(path.read_text())
    place = next(k for k, each in enumerate(content["operations"]) if each[0] == "mul" and each[1] == ~3)
    content["operations"][place][1] = ~2
    path.write_text(json.dumps(content))
    with pytest.raises(CheckFailed):
        check_certificate(folder, "machine_code")


@needs_qemu
def test_stages_are_kept_and_undefined_behaviour_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    firmware = firmware_of(NARROW, "m55")
    q = np.zeros(70, np.int32)
    kept = []
    for _ in range(2):
        followed = Followed(QemuCore(core("m55"), library_image(firmware, core("m55"))), firmware.program, q, keep=True)
        followed.run(lambda what: None, 600)
        assert all(claim.proved for found in followed.stages for claim in found.claims)
        kept.append([found.kept for found in followed.stages[:-1]])
    assert kept == [[False] * 4, [True] * 4]
    row = prover._undefined(firmware, core("m55"), "-O2", q, lambda what: None, 600)
    assert row.status == PROVED


def test_cores_like_it_are_followed_and_without_qemu_it_says_what_to_install(monkeypatch):
    assert "m55" in followed_cores()
    assert core("m85").runs_on("m55")
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "qemu-system-arm" in emulated_core_missing(core("m85"))
    assert emulated_core_missing(core("m4")) == ""
    with pytest.raises(MissingTool, match="qemu-system-arm"):
        QemuCore(core("m55"), None)
