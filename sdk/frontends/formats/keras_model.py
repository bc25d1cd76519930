"""`.keras` and `.h5`: models saved by Keras 1 to 3, read without Keras or TensorFlow.

A file with layers of another package (QKeras's) is left to the Keras reader that knows them (`edgeml.keras_readers`).
"""

from __future__ import annotations

from typing import ClassVar

from ...network import Network
from ...system.hdf5_file import MOST_BYTES
from ..format import Reader, Request, keras_reader, read_bounded
from ..mlp import Mlp

__all__ = ["KerasModelFormat"]


class KerasModelFormat(Reader):
    """Files of whole models: a configuration and weights. Code in them (Lambda layers) is refused, never run."""

    description: ClassVar[str] = "a Keras model (.keras, .h5)"

    def read(self, request: Request) -> Mlp | Network:
        """The model as an `Mlp`; one that is quantized already as a `Network`.

        Nothing that could run the file itself is asked for, so that what was read is not held against the source.
        """
        from ..keras_model.container import opened_keras
        from ..keras_model.reader import file_to_mlp

        name = request.model_name(request.path.stem)
        with opened_keras(read_bounded(request.path, MOST_BYTES), request.where) as file:
            if (foreign := keras_reader(file)) is not None:
                return foreign.read(file, request.where, name)
            return file_to_mlp(file, request.where, name, request.sample_shape)
