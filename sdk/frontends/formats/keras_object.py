"""A live `keras.Model`: saved by Keras into a temporary `.keras` file, read as that and held against the model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError, printable
from ...network import Network
from ...system.hdf5_file import MOST_BYTES
from ...system.scratch import ScratchFolder
from ..format import Reader, Request, read_bounded
from ..mlp import Mlp
from ..self_check import check_against_source, in_batches

__all__ = ["KerasObjectFormat"]

_MODULES = ("keras", "tf_keras")
_TOLERANCE = 1e-4
"""Of what Keras computes in float32."""


class KerasObjectFormat(Reader):
    """A model of Keras 2 or 3, whichever backend runs it. It is neither changed nor trained."""

    description: ClassVar[str] = "a keras.Model"
    rank: ClassVar[int] = 50
    """Asked before torch's: with the backend of torch a model is a torch.nn.Module, too."""

    def takes(self, request: Request) -> bool:
        """Whether it is a keras.Model."""
        kinds = tuple(sys.modules[name].Model for name in _MODULES if hasattr(sys.modules.get(name), "Model"))
        return isinstance(request.source, kinds)

    def read(self, request: Request) -> Mlp | Network:
        """The model as an `Mlp`, or as a `Network` if it is quantized already.

        Raises
        ------
        InputError : Keras cannot save it, or it is not a network that edgeml reads: the layer, and what to do.
        CheckFailed : an `Mlp` computes something else than the model gives.
        """
        from .keras_model import read_keras

        model, where = request.source, request.where
        name = request.model_name(str(model.name))
        if not getattr(model, "built", True):
            raise InputError(
                where,
                "was not built: it has no weights yet",
                "Put keras.Input(shape=(features,)) in front, or call it once on samples",
            )
        with ScratchFolder("keras") as folder:
            found = read_keras(_saved(model, folder / "model.keras", where), where, name, request.sample_shape)
        if isinstance(found, Mlp):
            check_against_source(found, lambda x: _run(model, x, request.sample_shape), where, _TOLERANCE)
        return found


def _saved(model: Any, path: Path, where: str) -> bytes:
    try:
        model.save(path)
    except Exception as error:
        raise InputError(
            where,
            f"Keras cannot save it ({printable(f'{type(error).__name__}: {error}', 300)})",
            "Build it as keras.Sequential or keras.Model(inputs, outputs) of Keras's own layers",
        ) from error
    return read_bounded(path, MOST_BYTES)


def _run(model: Any, x: npt.NDArray[np.float64], sample_shape: tuple[int, ...] | None) -> npt.NDArray[Any]:
    """What the model gives for x [samples, features]; sizes that its input leaves open are those of the data."""
    batch, *sizes = model.input_shape
    if sample_shape is not None and len(sample_shape) == len(sizes):
        sizes = [size or given for size, given in zip(sizes, sample_shape, strict=True)]
    return in_batches(lambda part: model.predict(part.astype(np.float32), verbose=0), x, (batch, *sizes))
