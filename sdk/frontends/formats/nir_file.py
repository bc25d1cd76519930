"""`.nir`: a spiking network in the Neuromorphic Intermediate Representation. The package that also writes such files
reads it; it is found by its entry point, as the sdk imports no converter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ..format import Format, Request
from .tflite import READERS

__all__ = ["NirFormat"]


class NirFormat(Format):
    """Gives the exact network that edgeml left in the file, else the float `Snn` that its nodes describe."""

    description: ClassVar[str] = "a spiking network in NIR (.nir)"
    suffixes: ClassVar[tuple[str, ...]] = (".nir",)

    def read(self, request: Request) -> Any:
        """The network in the file, renamed if a name was asked for."""
        network = READERS.load("nir")(request.path)
        return network if request.name is None else replace(network, name=request.model_name())
