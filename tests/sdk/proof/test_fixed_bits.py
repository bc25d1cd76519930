"""Bits that are the same for every value in a range are taken for what they are, by the prover and by the checker."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.proof.certificate import rows_of
from edgeml.proof.checkers.circuit import check_certificate
from edgeml.proof.circuit import Circuit, Lookup
from edgeml.proof.claim import OPEN, PROVED, Artifact, Cut
from edgeml.proof.prove import prove
from tests.targets.fpga.proof.proved import certified


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def proof_of(base: int, weight: int, top: int, inverted: bool = False):
    """x of 1 bit, y = base + x in two bits, the upper one a gate of its own; weight * y, in which that is taken
    for `top`."""
    nodes = (
        Node("input", InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 1, False)),
        Node("act", Threshold(np.array([[1]]), base=base), ("input",)),
        Node("fc", Dense(np.array([[weight]]), 2, np.zeros(1, np.int64)), ("act",)),
    )
    network = Network("net", nodes, Output(np.array([1.0])))
    upper = [base >> 1 ^ inverted, base + 1 >> 1 ^ inverted]
    low = [base & 1, base + 1 & 1]
    circuit = Circuit(
        1,
        (Lookup((3,), (2,), low[0] | low[1] << 1), Lookup((4,), (2,), upper[0] | upper[1] << 1)),
        (3, top),
    )
    y = Cut((3, ~4 if inverted else 4), 0)
    artifact = Artifact(((2,),), ((3, top),), {"input": (Cut((2,), 0),), "act": (y,), "fc": (Cut((3, top), 0),)})
    return network, prove(network, circuit, artifact)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("base", "top"), [(2, 1), (0, 0)])
def test_a_sum_in_which_a_fixed_bit_is_a_constant_is_proved_and_followed(base, top, inverted, tmp_path):
    network, proof = proof_of(base, 1, top, inverted)
    found = {row.part: row.status for row in rows_of(proof)}
    assert found["act"] == found["fc"] == PROVED
    assert check_certificate(certified(network, b"", proof, tmp_path / "b"), "unrolled")["fc"] == (1, 1)


@pytest.mark.parametrize(("base", "top"), [(2, 0), (0, 1), (1, 1), (1, 0)])
def test_a_bit_that_is_not_fixed_or_is_the_other_one_is_not_taken_for_it(base, top, tmp_path):
    network, proof = proof_of(base, 1, top)
    assert {row.part: row.status for row in rows_of(proof)}["fc"] == OPEN
    folder = certified(network, b"", proof, tmp_path / "b")
    path = folder / "proof" / "unrolled" / "certificate.json"
    text = path.read_text()
    claimed = text.replace('"status":"not proved","method":"sum"', '"status":"proved","method":"sum"')
    claimed = claimed.replace('"status":"not proved","method":""', '"status":"proved","method":"sum"')
    assert claimed != text
    path.write_text(claimed)
    with pytest.raises(CheckFailed, match=r"does not follow from its pieces|does not fit"):
        check_certificate(folder, "unrolled")
