"""Layers on packed bits: sums in planes of bits are proved and followed by the checker; faults in them are refuted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from edgeml.errors import CheckFailed
from edgeml.network import network_file
from edgeml.proof.checkers.words import check_certificate
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.targets.mcu.firmware import Firmware
from edgeml.targets.mcu.proof.prover import certificate_of, rows_of
from tests.targets.c.encode_networks import bits_network

from .proved import changed, firmware_of, follow

CASES = [(2, 6, "rv32"), (2, 6, "m4"), (3, 45, "m0"), (7, 30, "rv32")]
QUICK = CASES[1:3]


def in_folder(firmware: Firmware, name: str, folder: Path) -> Path:
    """A folder with network, C and certificate, as they lie in a bundle."""
    followed = follow(firmware, name)
    place = folder / "proof" / "machine_code"
    place.mkdir(parents=True)
    network_file.write(firmware.program.layout.network, folder / "network.edgeml")
    network = (folder / "network.edgeml").read_bytes()
    for file, content in certificate_of(followed, network, firmware).items():
        (place / file).write_bytes(content)
    for path, text in firmware.files.items():
        (folder / "c" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "c" / path).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("seed", "widest", "name"),
    [case if case in QUICK else pytest.param(*case, marks=pytest.mark.slow) for case in CASES],
)
def test_planes_of_bits_are_proved_and_follow_the_checker(seed, widest, name, tmp_path):
    firmware = firmware_of(bits_network(seed, widest), name)
    assert "bits_pairs" in {stage.code.kernel for stage in firmware.program.layout.stages}
    rows = rows_of(follow(firmware, name))
    assert {row.status for row in rows if row.claims} == {PROVED}
    assert any("planes of bits" in row.method for row in rows)
    found = check_certificate(in_folder(firmware, name, tmp_path / "b"), "machine_code")
    assert all(claims == proved > 0 for claims, proved in found.values())


def test_other_planes_and_other_lanes_are_refused(tmp_path):
    folder = in_folder(firmware_of(bits_network(2, 6), "rv32"), "rv32", tmp_path / "b")
    path = folder / "proof" / "machine_code" / "certificate.json"
    whole = json.loads(path.read_text())
    claims = whole["places"]["act"]["claims"]
    first = next(claim for claim in claims if len(claim.get("planes", ())) > 1)
    for change in (
        {"lane": first["lane"] ^ 1},
        {"planes": first["planes"][::-1]},
    ):
        before = {key: first[key] for key in change}
        first.update(change)
        path.write_text(json.dumps(whole))
        with pytest.raises(CheckFailed, match="is not what the network says"):
            check_certificate(folder, "machine_code")
        first.update(before)
    path.write_text(json.dumps(whole))
    assert check_certificate(folder, "machine_code")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "return borrow ^ ((count ^ threshold) & (borrow ^ threshold));",
            "return borrow ^ ((count ^ threshold) & borrow);",
        ),
        ("const uint32_t carry = ((a ^ b) & differ) ^ a;", "const uint32_t carry = ((a ^ b) & differ) ^ b;"),
    ],
)
def test_faults_are_refuted_by_inputs_that_the_emulator_confirms(old, new):
    firmware = changed(firmware_of(bits_network(2, 6), "rv32"), {old: new})
    row = next(row for row in rows_of(follow(firmware, "rv32")) if row.part == "act")
    assert row.status == REFUTED
    assert "in the emulator" in row.detail


def test_another_entry_of_a_table_is_refuted():
    firmware = firmware_of(bits_network(2, 6), "rv32")
    path = next(path for path, text in firmware.files.items() if "_encode_table[128] = {" in text)
    text = firmware.files[path]
    begin = text.index("{", text.index("_encode_table[128] = {")) + 1
    entry = next(found for found in re.finditer(r"\b\d+\b", text[begin:]) if int(found[0]))
    start, end = begin + entry.start(), begin + entry.end()
    other = f"{text[:start]}{int(entry[0]) & (int(entry[0]) - 1)}{text[end:]}"
    rows = rows_of(follow(replace(firmware, files={**firmware.files, path: other}), "rv32"))
    assert next(row for row in rows if row.part == "act").status == REFUTED
