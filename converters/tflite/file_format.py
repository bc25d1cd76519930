"""Models in .tflite files, as `edgeml convert` reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from edgeml.errors import InputError
from edgeml.frontends.format import Reader, Request
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network
from edgeml.system.regular_file import read_regular

from .flatbuffer import read_root
from .float_files.check import check_float_file
from .float_files.reader import is_float_file, read_float_file
from .reader import LARGEST_FILE, read_network

__all__ = ["TfliteFormat"]


class TfliteFormat(Reader):
    """Gives the network of integers that an int8 file holds, by the rounding rule that it names (edgeml's own do) or
    that of TFLite Micro; the float model of a file whose activations are floats."""

    description: ClassVar[str] = "a model of TensorFlow Lite's (.tflite)"

    def read(self, request: Request) -> Mlp | Network:
        """The model in the file, renamed if a name was asked for; a float one is checked against LiteRT, if that is
        installed and the weights are floats."""
        content = read_regular(request.path, LARGEST_FILE)
        try:
            root = read_root(content)
            floats = is_float_file(root)
        except InputError as error:
            raise InputError(request.where, str(error)) from error
        if floats:
            file = read_float_file(root, request.where, request.model_name(request.path.stem))
            check_float_file(file, content, request.where)
            return file.mlp
        network = read_network(request.path)
        return network if request.name is None else replace(network, name=request.model_name())
