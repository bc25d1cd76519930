"""Models in .tflite files, as `edgeml convert` reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from edgeml.frontends.format import Reader, Request
from edgeml.network import Network

from .reader import read_network

__all__ = ["TfliteFormat"]


class TfliteFormat(Reader):
    """Gives the network of integers that the file holds, by the rounding rule that it names (edgeml's own do) or that
    of TFLite Micro."""

    description: ClassVar[str] = "an int8 model of TensorFlow Lite's (.tflite)"

    def read(self, request: Request) -> Network:
        """The network in the file, renamed if a name was asked for."""
        network = read_network(request.path)
        return network if request.name is None else replace(network, name=request.model_name())
