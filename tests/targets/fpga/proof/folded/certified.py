"""Folded designs, their files as they are or changed, and their proof in a folder as in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, network_file
from edgeml.network.layers.requantize import Requantize
from edgeml.targets.fpga.architectures.folded.choices import FoldedChoices
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.folded.certificate import certificate_files
from edgeml.targets.fpga.proof.folded.design_proof import DesignProof
from edgeml.targets.fpga.proof.folded.prover import prove_files

__all__ = ["bytes_network", "certified", "folded", "not_proved", "proved"]


def folded(network: Network, folds: Mapping[str, tuple[int, int]], units: Mapping[str, str] | None = None) -> Built:
    """A design with (PE, SIMD) by the name of each chain's first node."""
    foldings = {name: Folding(*each) for name, each in folds.items()}
    return build(network, Design("folded", FoldedChoices(foldings, units=units or {})))


def proved(built: Built, changed: Mapping[str, bytes] | None = None) -> DesignProof:
    """What is proved of a design's files, some of them changed."""
    return prove_files(built, {**proof_files(built), **(changed or {})})


def not_proved(proof: DesignProof) -> dict[str, str]:
    """Why what is not proved is not, by where."""
    found = {f"wiring {name}": claim.detail for name, claim in proof.wiring.items() if claim.status != "proved"}
    for name, node in proof.nodes.items():
        for channel, claim in enumerate(node.claims):
            if claim.status != "proved":
                found.setdefault(name, f"[{channel}] {claim.status}: {claim.detail}")
    for claim in proof.output:
        if claim.status != "proved":
            found.setdefault("out", claim.detail)
    return found


def certified(built: Built, proof: DesignProof, folder: Path) -> Path:
    """A folder with the network, the design's files and the certificate, as they lie in a bundle."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "proof" / "folded").mkdir(parents=True)
    network_file.write(proof.network, folder / "network.edgeml")
    files = {f"rtl/{name}": content for name, content in proof_files(built).items()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    content = (folder / "network.edgeml").read_bytes()
    for name, data in certificate_files(proof, content, files, {}, []).items():
        (folder / "proof" / "folded" / name).write_bytes(data)
    return folder


def bytes_network(sizes: tuple[int, ...], rounding: str, seed: int = 0) -> Network:
    """Dense layers of 8-bit weights, a requantization by one rule behind each, factors by channel."""
    rng = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, 8, True))]
    for index, outputs in enumerate(sizes[1:]):
        inputs = sizes[index]
        weight = rng.integers(-127, 128, (outputs, inputs))
        dense = Dense(weight, 8, rng.integers(-3000, 3000, outputs), -3 if index else 0)
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        if rounding == "shift":
            shift = rng.integers(-9, -6, outputs)
            scale = Requantize(np.full(outputs, 2**30), shift, rounding, -3)
        else:
            multiplier = rng.integers(2**30, 2**31, outputs)
            if rounding == "fp32_rne":
                multiplier &= ~0x7F
            fraction = rng.integers(0, 2**22, outputs) if rounding == "float64_away" else None
            scale = Requantize(multiplier, rng.integers(-9, -6, outputs), rounding, -3, fraction=fraction)
        nodes.append(Node(f"scale{index}", scale, (nodes[-1].name,)))
    return Network(f"bytes_{rounding}", tuple(nodes), Output(np.array([1.0])))
