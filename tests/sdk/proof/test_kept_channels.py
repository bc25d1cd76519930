"""A channel that was proved before is found by its gates and what is claimed of it, and by nothing less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.proof.circuit import Circuit, Lookup
from edgeml.proof.claim import PROVED, REFUTED, Artifact, Cut
from edgeml.proof.prove import prove


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def network_of(weights, thresholds):
    """Two bits x; sums W x that stand nowhere, and for each whether it reaches a threshold."""
    weight = np.array(weights)
    nodes = (
        Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 1, False)),
        Node("fc", Dense(weight, 2, np.zeros(len(weight), np.int64)), ("input",)),
        Node("act", Threshold(np.array(thresholds)[:, None]), ("fc",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


def proof_of(network, tables):
    """The proof that bit 4 + k, the table of both inputs, is channel k of `act`."""
    gates = tuple(Lookup((4 + k,), (2, 3), table) for k, table in enumerate(tables))
    bits = [(4 + k,) for k in range(len(tables))]
    cuts = {
        "input": (Cut((2,), 0), Cut((3,), 0)),
        "fc": (None,) * len(tables),
        "act": tuple(Cut(each, 0) for each in bits),
    }
    circuit = Circuit(2, gates, tuple(bit for each in bits for bit in each))
    return prove(network, circuit, Artifact(((2,), (3,)), tuple(bits), cuts))


def statuses(proof, place="act"):
    return [claim.status for claim in proof.evidence[place].claims]


FIRST, SECOND = 0b0010, 0b0100
"""x0 and not x1; x1 and not x0."""


def test_a_channel_is_found_where_another_one_changed():
    network = network_of([[1, -1], [1, 1]], [1, 2])
    assert proof_of(network, [FIRST, 0b1000]).evidence["act"].anew == [0, 1]
    other = network_of([[1, -1], [1, 1]], [1, 1])
    again = proof_of(other, [FIRST, 0b1110])
    assert statuses(again) == [PROVED, PROVED]
    assert (again.evidence["act"].anew, again.evidence["act"].kept) == ([1], {0})
    assert proof_of(network, [FIRST, 0b1000]).evidence["act"].anew == []


def test_what_is_kept_is_not_taken_for_a_sum_that_stands_nowhere_and_has_other_weights():
    assert statuses(proof_of(network_of([[1, -1]], [1]), [FIRST])) == [PROVED]
    assert statuses(proof_of(network_of([[-1, 1]], [1]), [FIRST])) == [REFUTED]
    assert statuses(proof_of(network_of([[-1, 1]], [1]), [SECOND])) == [PROVED]


@pytest.mark.parametrize("what", ["gates", "threshold", "bits"])
def test_what_is_kept_is_not_taken_for_another_claim(what):
    network = network_of([[1, -1]], [1])
    assert statuses(proof_of(network, [FIRST])) == [PROVED]
    if what == "gates":
        assert statuses(proof_of(network, [SECOND])) == [REFUTED]
    elif what == "threshold":
        assert statuses(proof_of(network_of([[1, -1]], [0]), [FIRST])) == [REFUTED]
    else:  # the first layer's input has another range
        quantizer = replace(network.nodes[0].layer, bits=2)
        wider = replace(network, nodes=(replace(network.nodes[0], layer=quantizer), *network.nodes[1:]))
        cuts = {"input": (Cut((2, 4), 0), Cut((3, 5), 0)), "fc": (None,), "act": (Cut((6,), 0),)}
        circuit = Circuit(4, (Lookup((6,), (2, 3), FIRST),), (6,))
        proof = prove(wider, circuit, Artifact(((2, 4), (3, 5)), ((6,),), cuts))
        assert statuses(proof) == [REFUTED]
