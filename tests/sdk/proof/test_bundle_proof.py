"""What `prove_bundle` and `check_proof` say of bundles of any kind, and of those that changed after their proof."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from edgeml.bundle import load, seal
from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError
from edgeml.network import network_file
from edgeml.proof import bundle_proof
from edgeml.proof.bundle_proof import check_proof, prove_bundle
from edgeml.proof.network.prover import NetworkProver
from edgeml.proof.place_claims import PlaceClaims
from edgeml.report.drawing import draw
from edgeml.report.proofs import proofs_section, proofs_sentence
from tests.sdk.proof.certified import bundle_of
from tests.targets.fpga.forms import int8_network, spiking_network


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proved") / "b"
    return prove_bundle(bundle_of(int8_network(0, "double_rounding"), folder, "quantized", {"other/code.txt": b"-"}))


def test_a_bundle_for_a_cpu_has_rows_of_its_integers_and_says_what_no_prover_is_about(proved):
    bundle, rows = proved
    assert {row.prover for row in rows if row.part == "ranges"} == {"network"}
    assert any(row.part == "scale0, rounding" and row.status == "proved" for row in rows)
    assert [(row.part, row.status) for row in rows if row.part.endswith("/")] == [("other/", "not tried")]
    assert bundle.manifest["metrics"]["proof"] == [row.as_json() for row in rows]
    assert [(row.part, row.claims) for row in check_proof(bundle)][:2] == [(row.part, row.claims) for row in rows][:2]
    assert {row.method for row in check_proof(bundle)} == {"followed again by the checker"}
    assert "scale0, rounding" in (bundle.folder / "report.html").read_text()


def test_a_network_that_changed_after_the_proof_is_told_plainly(proved, tmp_path):
    bundle, _ = proved
    folder = tmp_path / "b"
    shutil.copytree(bundle.folder, folder)
    network_file.write(int8_network(1, "double_rounding"), folder / "network.edgeml")
    with pytest.raises(InputError, match=r"network\.edgeml.*differs"):
        load(folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key != "files"})
    with pytest.raises(CheckFailed, match=r"proof/network, certificate, network: is another.*--prove"):
        check_proof(load(folder))


def test_a_certificate_of_a_kind_that_nobody_knows_is_told_plainly(proved, tmp_path):
    bundle, _ = proved
    folder = tmp_path / "b"
    shutil.copytree(bundle.folder, folder)
    (folder / "proof" / "network" / "certificate.json").write_text('{"kind": "believed"}')
    manifest = json.loads((folder / "bundle.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key != "files"})
    with pytest.raises(CheckFailed, match=r"proof/network.*no checker knows: 'believed'"):
        check_proof(load(folder))


def test_a_folder_that_a_certificate_names_files_of_is_not_said_to_be_left(tmp_path, monkeypatch):
    made = bundle_of(int8_network(0, "shift"), tmp_path / "b", "quantized", {"tops/a.v": b"-", "other/code.txt": b"-"})
    prove = NetworkProver.prove

    def with_tops(self, bundle, **given):
        found = prove(self, bundle, **given)
        certificate = json.loads(found.certificate["certificate.json"])
        certificate["artifacts"]["tops/a.v"] = "0" * 64
        return replace(found, certificate={"certificate.json": json.dumps(certificate).encode()})

    monkeypatch.setattr(NetworkProver, "prove", with_tops)
    _, rows = prove_bundle(made)
    assert [row.part for row in rows if row.part.endswith("/")] == ["other/"]


def test_the_same_place_of_several_programs_is_one_row(proved, monkeypatch):
    found = {"fc": (4, 4), "outputs": (2, 2), "fc, program 1": (4, 3), "outputs, program 1": (2, 2), "ranges": (5, 5)}
    monkeypatch.setattr(bundle_proof, "_check", lambda folder, prover: ("followed", found))
    rows = {row.part: (row.status, row.claims, row.proved) for row in check_proof(proved[0])}
    assert rows == {
        "fc, 2 programs": ("not tried", 8, 7),
        "outputs, 2 programs": ("proved", 4, 4),
        "ranges": ("proved", 5, 5),
    }


def test_a_spiking_bundle_has_rows_of_its_spikes(tmp_path):
    bundle, rows = prove_bundle(bundle_of(spiking_network(1, "ttfs"), tmp_path / "b", "spiking"))
    assert any(row.part == "neurons0, spikes" and row.status == "proved" for row in rows)
    assert all(row.status == "proved" for row in check_proof(bundle))


def test_a_prover_that_cannot_read_its_file_has_a_row_and_the_others_go_on(tmp_path, capsys):
    network = int8_network(0, "double_rounding")
    bundle_of(network, tmp_path / "b", "tflite", {"tflite/model.tflite": b"no model"})
    assert main(["verify", str(tmp_path / "b"), "--prove"]) == 1
    told = capsys.readouterr().out
    assert "Failed: prover tflite" in told
    assert "no TFL3 identifier" in told
    rows = load(tmp_path / "b").manifest["metrics"]["proof"]
    assert [(row["prover"], row["claims"]) for row in rows if row["status"] == "error"] == [("tflite", 0)]
    assert any(row["prover"] == "network" and row["status"] == "proved" for row in rows)
    assert main(["verify", str(tmp_path / "b"), "--check-proof"]) == 0


def test_a_defect_of_a_prover_is_told_as_one_and_proves_nothing(tmp_path, capsys, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a table of 3 rows")

    monkeypatch.setattr(NetworkProver, "prove", broken)
    bundle_of(int8_network(0, "double_rounding"), tmp_path / "b", "quantized")
    assert main(["verify", str(tmp_path / "b"), "--prove"]) == 1
    assert "a defect of the prover: ValueError: a table of 3 rows" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "b"), "--check-proof"]) == 2


def test_a_place_without_claims_is_not_tried():
    assert PlaceClaims("nothing", "", "", []).row().status == "not tried"


def test_a_report_of_rows_that_anybody_wrote_is_made_without_harm():
    rows = [{"part": "<b>", "claims": "many", "proved": None, "prover": "<i>"}, 7, {"claims": 2, "proved": 1}]
    assert "<b>" not in draw(proofs_section(rows))
    assert "1 of 2 claims" in proofs_sentence([{"claims": 2, "proved": 1, "status": "refuted", "part": "x"}])
    assert draw(proofs_section("nothing")) == ""
