"""Designs of a step per clock, their files as they are or changed, and their proof in a folder as in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgeml.network import Network, network_file
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.step_per_clock.certificate import certificate_files
from edgeml.targets.fpga.proof.step_per_clock.design_proof import DesignProof
from edgeml.targets.fpga.proof.step_per_clock.prover import prove_files

__all__ = ["certified", "not_proved", "proved", "step_per_clock"]


def step_per_clock(network: Network) -> Built:
    """A design of a step per clock."""
    return build(network, Design("unrolled", Pipelining(3, "edgeml")))


def proved(built: Built, changed: Mapping[str, bytes] | None = None) -> DesignProof:
    """What is proved of a design's files, some of them changed."""
    return prove_files(built, {**proof_files(built), **(changed or {})})


def not_proved(proof: DesignProof) -> dict[str, str]:
    """Why what is not proved is not, by where."""
    found = {"core": f"{proof.core.status}: {proof.core.detail}"} if proof.core.status != "proved" else {}
    for name, claims in [*((name, layer.claims) for name, layer in proof.layers.items()), ("out_data", proof.output)]:
        for channel, claim in enumerate(claims):
            if claim.status != "proved":
                found.setdefault(name, f"[{channel}] {claim.status}: {claim.detail}")
    return found


def certified(built: Built, proof: DesignProof, folder: Path) -> Path:
    """A folder with the network, the design's files and the certificate, as they lie in a bundle."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "proof" / "step-per-clock").mkdir(parents=True)
    network_file.write(proof.network, folder / "network.edgeml")
    files = {f"rtl/{name}": content for name, content in proof_files(built).items()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    content = (folder / "network.edgeml").read_bytes()
    for name, data in certificate_files(proof, content, files, {}).items():
        (folder / "proof" / "step-per-clock" / name).write_bytes(data)
    return folder
