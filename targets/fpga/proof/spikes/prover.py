"""The prover `event-driven`: that the units of an event-driven core compute the spiking network for every input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgeml.proof.findings import Row

from ...architectures.event_driven.architecture import EventDrivenArchitecture
from ...design import Built
from ..core_prover import CoreProver, modules_of
from .certificate import certificate_files, rows_of
from .design_proof import DesignProof, prove_design
from .refuted import refuted

__all__ = ["EventDrivenProver", "prove_files"]


class EventDrivenProver(CoreProver[DesignProof]):
    """Proves a core of units that send events, unit by unit (docs/proofs-spikes.md)."""

    architecture = EventDrivenArchitecture

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
    proof = prove_design(built.layout.plan.network, modules, built.core, announce, seconds=seconds)
    return refuted(proof, files, built)
