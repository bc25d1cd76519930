"""The prover `tflite`: that the integers of a bundle are those that its .tflite file states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edgeml.errors import InputError
from edgeml.proof.findings import Findings
from edgeml.proof.place_claims import statement_certificate
from edgeml.system.regular_file import read_regular

from ..executors import FOLDER
from ..reader import LARGEST_FILE, read_model, rule_of, tensor_indices
from .claims import file_claims

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["TfliteProver"]


class TfliteProver:
    """Integers, constants by scales, and tables of functions (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds a .tflite file."""
        return _path(bundle) != ""

    def missing(self, bundle: Bundle) -> str:
        """Nothing but numpy is needed."""
        return ""

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """A row for each layer that the file states; InputError where it is not sound."""
        path = _path(bundle)
        content = read_regular(bundle.folder / path, LARGEST_FILE, links=False)
        announce(f"proving the integers of {path}")
        try:
            model = read_model(content, bundle.network.name)
        except InputError as error:
            raise InputError(str(bundle.folder / path), str(error)) from error
        options = bundle.manifest.get("options")
        asked = options.get("rounding") if isinstance(options, Mapping) else None
        rule = rule_of(model, str(asked or ""))
        places = file_claims(model, tensor_indices(content), bundle.converted, rule, seconds)
        network = read_regular(bundle.converted_file, LARGEST_FILE)
        files = statement_certificate("tflite", network, places, {path: content})
        return Findings([place.row() for place in places], files)


def _path(bundle: Bundle) -> str:
    """The file in a bundle; "" if there is none."""
    names = sorted(name for name in bundle.manifest.get("files", {}) if name.startswith(f"{FOLDER}/"))
    return next((name for name in names if name.endswith(".tflite")), "")
