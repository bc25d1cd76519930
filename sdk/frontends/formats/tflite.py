"""`.tflite`: an int8 model of TensorFlow Lite's. What its integers mean is known to the package that also writes such
files; it is found by its entry point, as the sdk imports no converter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ...network import Network
from ...registry import Registry
from ..format import Format, Request

__all__ = ["READERS", "TfliteFormat"]

READERS: Registry[Any] = Registry("edgeml.readers", "reader", object)
"""Entry points of functions that read a path into a Network, by the ending of the path without its dot."""


class TfliteFormat(Format):
    """Gives the network of integers that the file holds, by the rounding rule that it names (edgeml's own do) or that
    of TFLite Micro."""

    description: ClassVar[str] = "an int8 model of TensorFlow Lite's (.tflite)"
    suffixes: ClassVar[tuple[str, ...]] = (".tflite",)

    def read(self, request: Request) -> Network:
        """The network in the file, renamed if a name was asked for."""
        network: Network = READERS.load("tflite")(request.path)
        return network if request.name is None else replace(network, name=request.model_name())
