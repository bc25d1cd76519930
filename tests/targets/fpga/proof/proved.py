"""Networks unrolled, their Verilog as it is or changed, and its proof in a folder as in a bundle."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, network_file
from edgeml.proof.certificate import certificate_files
from edgeml.proof.prove import Proof, prove
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

__all__ = ["certified", "mlp", "pipeline_of", "proof_of"]


def mlp(sizes: tuple[int, ...], seed: int, *, bits: int = 2, signed: bool = False, density: float = 1.0) -> Network:
    """Dense layers of 2-bit weights with three thresholds behind each but the last, among all values that occur."""
    rng = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, bits, signed))]
    low, high = nodes[0].layer.output_range().bounds
    x = rng.integers(low, high + 1, (500, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(-2, 2, (outputs, inputs)) * (rng.random((outputs, inputs)) < density)
        nodes.append(Node(f"fc{index}", Dense(weight, 2, rng.integers(-9, 10, outputs)), (nodes[-1].name,)))
        acc = nodes[-1].layer.evaluate(x)
        if index + 2 < len(sizes):
            thresholds = np.sort(np.quantile(acc, [0.3, 0.6, 0.8], axis=0).T.round().astype(np.int64), axis=1)
            nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
            x = nodes[-1].layer.evaluate(acc)
    return Network("net", tuple(nodes), Output(np.array([1.0])))


def pipeline_of(network: Network, register_every: int = 3) -> bytes:
    """The Verilog of a network's pipeline."""
    return build(network, Design("unrolled", Pipelining(register_every, "edgeml"))).files[f"{network.name}_pipeline.v"]


def proof_of(network: Network, verilog: bytes, register_every: int = 3) -> Proof:
    """What is proved of a pipeline, where values stand as in the one that is generated."""
    logic = build(network, Design("unrolled", Pipelining(register_every, "edgeml"))).layout.plan.logic
    circuit = circuit_of(read_module(verilog, f"{network.name}_pipeline"))
    return prove(network, circuit, artifact_of(circuit, logic))


def certified(network: Network, verilog: bytes, proof: Proof, folder: Path) -> Path:
    """A folder with the network, its Verilog and the certificate, as they lie in a bundle."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "proof" / "unrolled").mkdir(parents=True)
    network_file.write(network, folder / "network.edgeml")
    path = f"rtl/{network.name}_pipeline.v"
    (folder / path).write_bytes(verilog)
    content = (folder / "network.edgeml").read_bytes()
    for name, data in certificate_files(proof, content, {path: verilog}, {}, []).items():
        (folder / "proof" / "unrolled" / name).write_bytes(data)
    return folder
