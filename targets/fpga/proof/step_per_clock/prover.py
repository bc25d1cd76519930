"""The prover `step-per-clock`: that a core of spikes a step per clock computes the spiking network for every input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgeml.proof.findings import Row

from ...architectures.step_per_clock.architecture import StepPerClockArchitecture
from ...design import Built
from ..core_prover import CoreProver, modules_of
from .certificate import certificate_files, rows_of
from .design_proof import DesignProof, prove_design
from .refuted import refuted

__all__ = ["StepPerClockProver", "prove_files"]


class StepPerClockProver(CoreProver[DesignProof]):
    """Proves a core of all neurons at once: adder graphs, units, and what comes when (docs/proofs-spikes.md)."""

    architecture = StepPerClockArchitecture

    def proof(
        self, built: Built, files: Mapping[str, bytes], announce: Callable[[str], None], seconds: float
    ) -> DesignProof:
        """As `prove_files`."""
        return prove_files(built, files, announce, seconds=seconds)

    def rows(self, proof: DesignProof) -> Sequence[Row]:
        """As `rows_of`."""
        return rows_of(proof)

    def certificate(
        self, proof: DesignProof, network: bytes, artifacts: Mapping[str, bytes], tools: Mapping[str, str]
    ) -> dict[str, bytes]:
        """As `certificate_files`."""
        return certificate_files(proof, network, artifacts, tools)


def prove_files(
    built: Built,
    files: Mapping[str, bytes],
    announce: Callable[[str], None] = lambda place: None,
    *,
    seconds: float = 1800.0,
) -> DesignProof:
    """What is proved of files that are, or should be, those of a design. ToolFailed where yosys cannot read them."""
    modules = modules_of(files, built.core)
    proof = prove_design(built, files, modules, announce, seconds=seconds)
    return refuted(proof, files, built)
