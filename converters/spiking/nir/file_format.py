"""Models in .nir files, as `edgeml convert` reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from edgeml.frontends.format import Reader, Request
from edgeml.frontends.snn import Snn
from edgeml.network import Network

from .read import read_model

__all__ = ["NirFormat"]


class NirFormat(Reader):
    """Gives the exact network that edgeml left in the file, else the float `Snn` that its nodes describe."""

    description: ClassVar[str] = "a spiking network in NIR (.nir)"

    def read(self, request: Request) -> Network | Snn:
        """The network in the file, renamed if a name was asked for."""
        network = read_model(request.path)
        return network if request.name is None else replace(network, name=request.model_name())
