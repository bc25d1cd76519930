"""A bundle of Boolean functions for a CPU, proved and checked as a user does."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

import edgeml
from edgeml.network import network_file
from edgeml.proof.bundle_proof import check_proof, prove_bundle
from edgeml.proof.claim import PROVED
from tests.targets.logic_networks import classifier


@pytest.mark.slow
def test_a_bundle_of_functions_is_proved_with_each_body_and_checked(tmp_path: Path) -> None:
    network = classifier(0, features=4, levels=2, widths=(6,), classes=2, fan_in=3)
    network_file.write(network, tmp_path / "n.edgeml")
    bundle = edgeml.convert(tmp_path / "n.edgeml", to="quantized", target="cpu-x86_64", output=tmp_path / "b")
    proved, rows = prove_bundle(bundle)
    of_c = [row for row in rows if row.prover.startswith("c-")]
    assert {row.prover for row in of_c} >= {"c-portable", "c-avx2", "c-avx512"}
    assert {row.status for row in of_c} == {PROVED}
    checked = check_proof(edgeml.load(proved.folder))
    assert {row.prover for row in checked} >= {"c-portable", "c-avx2", "c-avx512"}
