"""Boolean functions, sums of tables and the label are proved in machine code; faults in them are refuted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import EdgemlError
from edgeml.network import Dense, Network, Node, Output
from edgeml.network.network_file import write
from edgeml.proof.checkers.words import check_certificate
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.findings import Row
from edgeml.targets.mcu.proof.prover import certificate_of, rows_of
from tests.targets.logic_networks import classifier, random_logic_network
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import firmware_of, follow, rows
from tests.targets.mcu.proof.test_mutants import constant
from tests.targets.tables_networks import kan, random_tables, requantized

NETWORKS = {
    "logic": classifier,
    "any logic": random_logic_network,
    "tables of 2 bits": lambda seed: kan(seed, (13, 20, 5), 2, 2),
    "tables of 4 bits": lambda seed: kan(seed, (7, 9, 11, 6), 3, 4),
    "tables of 8 bits": lambda seed: kan(seed, (30, 6), 4, 8),
    "any tables": random_tables,
    "requantized": requantized,
}


def not_proved(found: dict[str, Row]) -> dict[str, Row]:
    return {part: row for part, row in found.items() if row.claims and row.status != PROVED}


@pytest.mark.parametrize(
    ("kind", "core"),
    [
        pytest.param(kind, core, marks=() if (kind, core) in fast else pytest.mark.slow)
        for fast in [
            {("logic", "rv32"), ("tables of 2 bits", "m0"), ("tables of 8 bits", "rv32"), ("any tables", "m4")}
        ]
        for kind in NETWORKS
        for core in ("m0", "m4", "rv32")
    ],
)
def test_functions_and_tables_are_proved(kind, core):
    assert not not_proved(rows(NETWORKS[kind](5), core))


@pytest.mark.parametrize(
    ("kind", "name"), [("logic", "net_layer_logic0_table"), ("tables of 8 bits", "net_layer_tables0_entries")]
)
def test_another_entry_is_refuted(kind, name):
    network = NETWORKS[kind](5)
    firmware = firmware_of(network, "rv32")
    (text,) = (text for path, text in firmware.files.items() if path.endswith("_constants.c"))
    array = next(word for word in text.replace("[", " ").split() if word.startswith(network.name) and name[4:] in word)
    found = rows(network, "rv32", "", constant_of(firmware, network.name, array))
    assert [row.status for row in not_proved(found).values()] == [REFUTED]


def constant_of(firmware, network: str, array: str) -> dict[str, str]:
    """One of its first numbers changed by 1."""
    files = {path.replace(f"/{network}_", "/net_"): text for path, text in firmware.files.items()}
    return constant(replace(firmware, files=files), array, 0, 1)


def classes(count: int, task: str = "classes", threshold: int | None = None) -> Network:
    """Outputs that may each be the largest."""
    network, bias = random_network(count, (8, 6, count), 2), np.random.default_rng(count).integers(-9, 9, count)
    last = network.nodes[-1]
    nodes = (*network.nodes[:-1], Node(last.name, Dense(last.layer.weight, 2, bias), last.inputs))
    return Network("net", nodes, Output(np.array([1.0]), task=task, threshold=threshold))


@pytest.mark.parametrize(
    ("network", "core", "optimize"),
    [
        pytest.param(network, core, optimize, marks=() if (core, optimize) == cheap else pytest.mark.slow)
        for cheap, network in [
            (("rv32", "-O2"), classes(2)),
            (("m0", "-Os"), classes(3)),
            (("m4", "-O2"), classes(10)),
            (("rv32", "-Os"), classes(20)),
            (("rv32", "-O2"), classes(100)),
            (("m0", "-O2"), classes(1, "binary", 3)),
            (("m4", "-Os"), classes(4, "values")),
        ]
        for core in ("rv32", "m0", "m4")
        for optimize in ("-O2", "-Os")
    ],
)
def test_the_label_is_proved(network, core, optimize):
    followed = follow(firmware_of(network, core), core, optimize)
    row = {row.part: row for row in rows_of(followed)}["the label"]
    assert (row.status, row.detail) == (PROVED, "")


ARGMAX = """edgeml_argmax(const int32_t *values, size_t count)
{
    size_t best = 0;
    size_t i = 0;
    do { /* the first one, too: it is not larger than itself */
        if (values[i] > values[best]) {"""


@pytest.mark.parametrize(
    ("old", "new"), [("values[i] > values[best]", "values[i] >= values[best]"), ("size_t i = 0;", "size_t i = 2;")]
)
def test_another_choice_of_the_label_is_refuted(old, new):
    found = rows(classes(4), "rv32", "", {ARGMAX: ARGMAX.replace(old, new)})["the label"]
    assert found.status == REFUTED
    assert "in the emulator" in found.detail


def certified(network: Network, folder: Path) -> Path:
    """A folder with the certificate of a network that is called `classes`, followed without its undefined behaviour."""
    named = Network(network.name, network.nodes, Output(np.array([1.0]), task="classes"))
    firmware = firmware_of(named, "rv32")
    followed = follow(firmware, "rv32")
    write(named, folder / "network.edgeml")
    proof = folder / "proof" / "machine_code"
    proof.mkdir(parents=True)
    for path, text in firmware.files.items():
        (folder / "c" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "c" / path).write_text(text)
    content = (folder / "network.edgeml").read_bytes()
    for name, file in certificate_of(followed, content, firmware).items():
        (proof / name).write_bytes(file)
    return folder


@pytest.mark.parametrize("network", [kan(5, (6, 5, 4), 2, 2), classifier(5)], ids=["tables", "logic"])
def test_the_checker_follows_tables_functions_and_the_label(network, tmp_path):
    found = check_certificate(certified(network, tmp_path), "machine_code")
    assert all(claims == proved for claims, proved in found.values()), found
    assert found["the label"] == (1, 1)
    proof = tmp_path / "proof" / "machine_code"
    content, said = (json.loads((proof / f"{name}.json").read_bytes()) for name in ("operations", "certificate"))
    lookup = next(each for each in content["operations"] if each[0] == "lookup")
    lookup[4][0] ^= 1
    text = json.dumps(content).encode()
    said["artifacts"]["proof/machine_code/operations.json"] = hashlib.sha256(text).hexdigest()
    (proof / "operations.json").write_bytes(text)
    (proof / "certificate.json").write_text(json.dumps(said))
    with pytest.raises(EdgemlError):
        check_certificate(tmp_path, "machine_code")
