"""Event-driven designs, their files as they are or changed, and their proof in a folder as in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, network_file
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.targets.fpga.architectures.event_driven.choices import MembranesPerClock
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.spikes.certificate import certificate_files
from edgeml.targets.fpga.proof.spikes.design_proof import DesignProof
from edgeml.targets.fpga.proof.spikes.prover import prove_files

__all__ = ["certified", "event_driven", "not_proved", "proved", "residual"]


def residual(encoding: str, seed: int = 0, entry: str | None = None) -> Network:
    """Two layers of neurons with a path around the second: events that a unit passes on."""
    rng = np.random.default_rng(seed)

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(rng.integers(-3, 4, (outputs, inputs)), 3, rng.integers(-3, 4, outputs))

    def neurons(size: int) -> Neurons:
        return Neurons(np.sort(rng.integers(-8, 9, (size, 3)), axis=1), encoding, int(rng.integers(-1, 2)))

    nodes = (
        Node("input", InputQuantizer(4, np.ones(1), np.zeros(1), 0, 2, False)),
        Node("spikes", InputSpikes(4, entry or encoding, 0, 3), ("input",)),
        Node("dense0", dense(3, 4), ("spikes",)),
        Node("neurons0", neurons(3), ("dense0",)),
        Node("dense1", dense(3, 3), ("neurons0",)),
        Node("neurons1", neurons(3), ("dense1",)),
        Node("sum", Add(), ("neurons0", "neurons1")),
        Node("out", dense(2, 3), ("sum",)),
    )
    return Network("around", nodes, Output(np.ones(1)))


def event_driven(network: Network, most: int = 1) -> Built:
    """A design with so many membranes per clock, in layers that have as many."""
    plain = build(network, Design("folded", MembranesPerClock({})))
    lanes = {layer.name: min(layer.neurons, most) for layer in plain.layout.plan.layers}
    return plain if most == 1 else build(network, Design("folded", MembranesPerClock(lanes)))


def proved(built: Built, changed: Mapping[str, bytes] | None = None) -> DesignProof:
    """What is proved of a design's files, some of them changed."""
    return prove_files(built, {**proof_files(built), **(changed or {})})


def not_proved(proof: DesignProof) -> dict[str, str]:
    """Why what is not proved is not, by where."""
    found = {"wiring": proof.wiring.detail} if proof.wiring.status != "proved" else {}
    for name, claims in [*((name, unit.claims) for name, unit in proof.units.items()), ("out_data", proof.output)]:
        for channel, claim in enumerate(claims):
            if claim.status != "proved":
                found.setdefault(name, f"[{channel}] {claim.status}: {claim.detail}")
    return found


def certified(built: Built, proof: DesignProof, folder: Path) -> Path:
    """A folder with the network, the design's files and the certificate, as they lie in a bundle."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "proof" / "event-driven").mkdir(parents=True)
    network_file.write(proof.network, folder / "network.edgeml")
    files = {f"rtl/{name}": content for name, content in proof_files(built).items()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    content = (folder / "network.edgeml").read_bytes()
    for name, data in certificate_files(proof, content, files, {}).items():
        (folder / "proof" / "event-driven" / name).write_bytes(data)
    return folder
