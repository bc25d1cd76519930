"""What provers of whole cores have in common: the core's files, what yosys reads of them, rows and a certificate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from edgeml.proof.findings import Findings, Row

from ..design import Built
from .folded.netlist import Modules, read_core
from .rtl_prover import RtlProver, network_file

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["CoreProver", "modules_of", "proof_files"]

_Proof = TypeVar("_Proof")


class CoreProver(RtlProver, Generic[_Proof]):
    """Reads the core of a bundle and all its modules through yosys, and proves it unit by unit."""

    def findings(self, bundle: Bundle, built: Built, announce: Callable[[str], None], seconds: float) -> Findings:
        """The rows of the proof, and its certificate."""
        announce(f"yosys reads rtl/{built.core}.v")
        files = proof_files(built)
        proof = self.proof(built, files, announce, seconds)
        artifacts = {f"rtl/{name}": content for name, content in files.items()}
        certificate = self.certificate(proof, network_file(bundle), artifacts, self.tools())
        return Findings(self.rows(proof), certificate)

    @abstractmethod
    def proof(
        self, built: Built, files: Mapping[str, bytes], announce: Callable[[str], None], seconds: float
    ) -> _Proof:
        """What is proved of files that are, or should be, those of a design. ToolFailed where yosys refuses them."""

    @abstractmethod
    def rows(self, proof: _Proof) -> Sequence[Row]:
        """The lines of the table."""

    @abstractmethod
    def certificate(
        self, proof: _Proof, network: bytes, artifacts: Mapping[str, bytes], tools: Mapping[str, str]
    ) -> dict[str, bytes]:
        """The files of the certificate by their names. network, artifacts : the content of what was read."""


def proof_files(built: Built) -> dict[str, bytes]:
    """The files of a design that its core is made of: Verilog in the order to read it, then memories."""
    sources = built.sources[: built.sources.index(f"{built.core}.v") + 1]
    memories = [name for name in built.files if name.endswith(".mem")]
    return {name: built.files[name] for name in (*sources, *memories)}


def modules_of(files: Mapping[str, bytes], core: str) -> Modules:
    """What yosys reads of a core in such files. ToolFailed where it finds the text wrong."""
    return read_core(files, core, [name for name in files if name.endswith(".v")])
