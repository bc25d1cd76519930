"""The prover `quantized`: that the integers of a bundle are those of the quantized model that it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgeml.proof.findings import Findings
from edgeml.proof.place_claims import statement_certificate
from edgeml.system.regular_file import read_regular

from ..model_file import BREVITAS_FILE, from_bytes
from .claims import model_claims

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["QuantizedProver"]

_LARGEST = 2**30


class QuantizedProver:
    """Thresholds, weights, what is fused into them, and tables of inputs, in rational numbers (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle keeps the quantized model that it was made from."""
        return BREVITAS_FILE in bundle.manifest.get("files", {})

    def missing(self, bundle: Bundle) -> str:
        """Nothing but numpy is needed."""
        return ""

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """A row for each tensor of the model; InputError where its file is not sound."""
        content = read_regular(bundle.folder / BREVITAS_FILE, _LARGEST)
        announce(f"proving the integers of {BREVITAS_FILE}")
        places = model_claims(from_bytes(content, str(bundle.folder / BREVITAS_FILE)), bundle.converted, seconds)
        network = read_regular(bundle.converted_file, _LARGEST)
        files = statement_certificate("quantized", network, places, {BREVITAS_FILE: content})
        return Findings([place.row() for place in places], files)
