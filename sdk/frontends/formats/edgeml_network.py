"""`.edgeml`: an integer network, as edgeml itself writes it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from ...network import Network
from ...network.network_file import read
from ..format import Reader, Request

__all__ = ["EdgemlFormat"]


class EdgemlFormat(Reader):
    """Gives the network itself."""

    description: ClassVar[str] = "an integer network of edgeml's (.edgeml)"

    def read(self, request: Request) -> Network:
        """The network in the file, renamed if a name was asked for."""
        network = read(request.path)
        return network if request.name is None else replace(network, name=request.model_name())
