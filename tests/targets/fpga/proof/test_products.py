"""RTL of products of two tensors: proved for all inputs, faults of it refuted, certificates followed and refused."""

from __future__ import annotations

import json

import pytest

from edgeml.proof.checkers import circuit as circuit_checker
from edgeml.proof.checkers import folded as folded_checker
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.tools.programs import icarus
from tests.sdk.proof.certified import refused, said
from tests.targets.fpga.proof.folded import certified as folded
from tests.targets.fpga.proof.proved import certified, pipeline_of, proof_of
from tests.targets.joined_networks import multiplied

SMALL, WIDE = multiplied((2, 2), (True, False)), multiplied((5, 4), (True, True))
FOLDS = {"a": (3, 3), "b": (9, 3), "product": (3, 3), "last": (2, 3)}


@pytest.mark.parametrize("network", [SMALL, pytest.param(WIDE, marks=pytest.mark.slow)], ids=lambda n: n.name)
def test_an_unrolled_product_is_proved_and_followed(network, tmp_path):
    verilog = pipeline_of(network)
    proof = proof_of(network, verilog)
    assert {claim.status for claim in proof.claims} == {PROVED}
    folder = certified(network, verilog, proof, tmp_path / "b")
    found = circuit_checker.check_certificate(folder, "unrolled")
    assert found["product"] == (9, 9)


@pytest.mark.parametrize("network", [SMALL, pytest.param(WIDE, marks=pytest.mark.slow)], ids=lambda n: n.name)
def test_a_folded_product_is_proved_and_followed(network, tmp_path):
    built = folded.folded(network, FOLDS)
    proof = folded.proved(built)
    assert folded.not_proved(proof) == {}
    folder = folded.certified(built, proof, tmp_path / "b")
    assert folded_checker.check_certificate(folder, "folded")["product"] == (9, 9)
    path = folder / "proof" / "folded" / "certificate.json"
    (fact,) = [key for key in proof_facts(path) if "edgeml_multiply" in key]
    for change in (
        said(["facts", fact, "numbers", "operands"], lambda count: count // 2),
        said(["facts", fact, "says"], "passing"),
        said(["facts", fact, "parameters", "A_SIGNED"], lambda signed: 1 - signed),
        said(["places", "product", "facts"], []),
    ):
        refused(path, change, lambda: folded_checker.check_certificate(folder, "folded"))


def proof_facts(path):
    return json.loads(path.read_text())["facts"]


FAULTS = [
    ("a_wide * b_wide", "a_wide + b_wide"),
    ("(A_SIGNED != 0) && a[A_BITS-1]", "1'b0"),
    ("product <= both[OUTPUT_BITS-1:0]", "product <= both[OUTPUT_BITS:1]"),
    ("else push <= take;", "else push <= a_valid;"),
]


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize(
    ("old", "new"), [pytest.param(*f, marks=() if k == 1 else pytest.mark.slow) for k, f in enumerate(FAULTS)]
)
def test_a_fault_of_the_folded_unit_is_refuted(old, new):
    built = folded.folded(SMALL, FOLDS)
    text = proof_files(built)["edgeml_multiply.v"].decode()
    assert text.count(old) == 1
    proof = folded.proved(built, {"edgeml_multiply.v": text.replace(old, new).encode()})
    assert REFUTED in {claim.status for claim in proof.nodes["product"].claims}
