"""What was proved is kept for the code that proved it, and found by no other."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.proof import kept_channels, own_code
from edgeml.proof.circuit import Circuit, Lookup
from edgeml.proof.claim import Artifact, Cut
from edgeml.proof.prove import prove


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "package_of_a_test"
    (folder / "below").mkdir(parents=True)
    for name in ("__init__.py", "rule.py", "below/__init__.py"):
        (folder / name).write_text("RULE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop(folder.name, None)


@pytest.mark.parametrize("changed", ["rule.py", "below/__init__.py", "below/further.py"])
def test_a_digest_of_code_changes_with_each_text_of_a_package(package, changed):
    digest = own_code.code_digest.__wrapped__
    before = digest(package.name)
    assert before == digest(package.name) != digest(f"{package.name}.rule")
    (package / changed).write_text("RULE = 2\n")
    assert digest(package.name) != before


def test_a_proof_of_other_code_is_not_found(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))
    quantizer = InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 1, False)
    dense = Dense(np.array([[1]]), 2, np.zeros(1, np.int64))
    nodes = (Node("input", quantizer), Node("fc", dense, ("input",)))
    circuit = Circuit(1, (Lookup((3,), (2,), 0b10),), (3,))
    artifact = Artifact(((2,),), ((3,),), {"input": (Cut((2,), 0),), "fc": (Cut((3,), 0),)})

    def kept() -> set[bool]:
        proof = prove(Network("net", nodes, Output(np.array([1.0]))), circuit, artifact)
        assert {claim.status for claim in proof.claims} == {"proved"}
        return {bool(evidence.kept) for evidence in proof.evidence.values()}

    assert kept() == {False}
    assert kept() == {True}
    monkeypatch.setattr(kept_channels, "code_digest", lambda *names: "other code")
    assert kept() == {False}
