"""The prover `unrolled`: that the pipeline of the unrolled architecture computes the network, for every input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgeml.errors import InputError
from edgeml.proof.certificate import certificate_files, rows_of
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.findings import Findings, Row
from edgeml.proof.prove import prove
from edgeml.proof.refute import refuted

from ..architectures.unrolled.architecture import UnrolledArchitecture, UnrolledPlan
from ..design import Built
from .cuts import artifact_of
from .kept_circuits import circuit_of_verilog
from .rtl_prover import RtlProver, network_file
from .simulate import confirmation

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["UnrolledProver"]


class UnrolledProver(RtlProver):
    """Reads `rtl/NAME_pipeline.v` of a bundle through yosys and proves it layer by layer (docs/proofs.md)."""

    architecture = UnrolledArchitecture

    def findings(self, bundle: Bundle, built: Built, announce: Callable[[str], None], seconds: float) -> Findings:
        """A row of the registers and one of each layer, and the certificate."""
        network, plan = bundle.network, built.layout.plan
        if not isinstance(plan, UnrolledPlan):
            raise InputError(str(bundle.folder), "holds no design of architecture unrolled")
        name = f"{network.name}_pipeline"
        path = f"rtl/{name}.v"
        verilog = built.files[f"{name}.v"]
        announce(f"yosys reads {path}")
        circuit = circuit_of_verilog(verilog, name)
        artifact = artifact_of(circuit, plan.logic)
        proof = prove(network, circuit, artifact, lambda place: announce(f"proving {place}"), seconds=seconds)
        confirm = confirmation(verilog, name, circuit, artifact, plan.logic)
        proof = refuted(proof, bundle.golden()[0], confirm)
        stated = plan.stages.clocks
        registers = Row(
            "registers",
            PROVED if circuit.latency == stated else REFUTED,
            1,
            int(circuit.latency == stated),
            "counted on every way from the inputs to the outputs",
            detail="" if circuit.latency == stated else f"{circuit.latency} clocks, not the {stated} of the core",
        )
        files = certificate_files(proof, network_file(bundle), {path: verilog}, self.tools(), [])
        return Findings([registers, *rows_of(proof)], files)
