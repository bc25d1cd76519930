"""The prover `folded`: that the units of a folded core, and what joins them, compute the network for every input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from edgeml.errors import InputError
from edgeml.proof.findings import Row

from ...architectures.folded.architecture import FoldedArchitecture
from ...architectures.folded.plan import FoldedPlan
from ...design import Built
from ..core_prover import CoreProver, modules_of
from .certificate import certificate_files, rows_of
from .design_proof import DesignProof, prove_design
from .refuted import Core, refuted

__all__ = ["FoldedProver", "core_of", "prove_files"]


class FoldedProver(CoreProver[DesignProof]):
    """Proves a folded core layer by layer (docs/proofs.md)."""

    architecture = FoldedArchitecture

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
        """As `certificate_files`; streams between units are said to be another prover's."""
        counts = sorted(Counter(name for name, _ in proof.streams).items())
        between = f"streams between the units ({', '.join(f'{count} {module}' for module, count in counts)})"
        return certificate_files(proof, network, artifacts, tools, [f"{between}: the prover `library` is about them"])


def prove_files(
    built: Built,
    files: Mapping[str, bytes],
    announce: Callable[[str], None] = lambda place: None,
    *,
    seconds: float = 1800.0,
) -> DesignProof:
    """What is proved of files that are, or should be, those of a design. ToolFailed where yosys cannot read them."""
    plan, network = built.layout.plan, built.layout.plan.network
    if not isinstance(plan, FoldedPlan):
        raise InputError(network.name, "holds no design of architecture folded")
    proof = prove_design(network, plan, modules_of(files, built.core), built.core, announce, seconds=seconds)
    return refuted(proof, files, core_of(built, plan))


def core_of(built: Built, plan: FoldedPlan) -> Core:
    """What a simulation of the core needs to know."""
    last, clocks = plan.chains[-1], max(chain.clocks_per_frame for chain in plan.chains)
    return Core(built.core, (plan.input_lanes, plan.input_element.bits), (last.lanes, last.element.bits), clocks)
