"""`.keras` and `.h5`: models saved by Keras 1 to 3, read without Keras or TensorFlow.

A file with layers of another package (QKeras's) is left to the Keras reader that knows them (`edgeml.keras_readers`).
"""

from __future__ import annotations

from typing import ClassVar

from ...network import Network
from ...system.hdf5_file import MOST_BYTES
from ..format import Reader, Request, keras_reader, read_bounded
from ..mlp import Mlp

__all__ = ["KerasModelFormat", "read_keras"]


class KerasModelFormat(Reader):
    """Files of whole models: a configuration and weights. Code in them (Lambda layers) is refused, never run."""

    description: ClassVar[str] = "a Keras model (.keras, .h5)"

    def read(self, request: Request) -> Mlp | Network:
        """The model as an `Mlp`; one that is quantized already as a `Network`.

        Nothing that could run the file itself is asked for, so that what was read is not held against the source.
        """
        name, content = request.model_name(request.path.stem), read_bounded(request.path, MOST_BYTES)
        return read_keras(content, request.where, name, request.sample_shape)


def read_keras(content: bytes, where: str, name: str, sample_shape: tuple[int, ...] | None) -> Mlp | Network:
    """The model of these bytes of a file, under `name`; `sample_shape` is that of the data's samples.

    Raises InputError, which names `where`, for what edgeml does not read.
    """
    from ..keras_model.container import opened_keras
    from ..keras_model.reader import file_to_mlp

    with opened_keras(content, where) as file:
        if (foreign := keras_reader(file)) is not None:
            return foreign.read(file, where, name)
        return file_to_mlp(file, where, name, sample_shape)
