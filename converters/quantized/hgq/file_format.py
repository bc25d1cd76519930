"""Keras files with layers of HGQ2, as `edgeml convert` reads them."""

from __future__ import annotations

from edgeml.frontends.keras_model.container import KerasFile
from edgeml.frontends.keras_model.graph import graph_of
from edgeml.frontends.reading.value import NotAnMlp
from edgeml.network import Network

__all__ = ["HgqReader"]


class HgqReader:
    """Gives the network of integers that the file states."""

    def takes(self, file: KerasFile) -> bool:
        """Whether one of its layers is HGQ2's."""
        try:
            return any(layer.kind.startswith("hgq>") for layer in graph_of(file.config).layers.values())
        except NotAnMlp:
            return False

    def read(self, file: KerasFile, where: str, name: str) -> Network:
        """See `reader.read_hgq`."""
        from .reader import read_hgq

        return read_hgq(file, where, name)
