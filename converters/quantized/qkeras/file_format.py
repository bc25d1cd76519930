"""Keras files with layers of QKeras, as `edgeml convert` reads them."""

from __future__ import annotations

from edgeml.frontends.keras_model.container import KerasFile
from edgeml.frontends.keras_model.graph import graph_of
from edgeml.frontends.reading.value import NotAnMlp
from edgeml.network import Network

__all__ = ["QkerasReader"]

_LAYERS = {"QDense", "QActivation"}


class QkerasReader:
    """Gives the network of integers that the file states."""

    def takes(self, file: KerasFile) -> bool:
        """Whether one of its layers is QKeras's. HGQ2 calls its own hgq>QDense."""
        try:
            return any(layer.kind in _LAYERS for layer in graph_of(file.config).layers.values())
        except NotAnMlp:
            return False

    def read(self, file: KerasFile, where: str, name: str) -> Network:
        """See `reader.read_qkeras`."""
        from .reader import read_qkeras

        return read_qkeras(file, where, name)
