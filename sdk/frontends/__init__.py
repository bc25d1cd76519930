"""Trained models in: a reader for each format gives an `Mlp` or `Snn` (float), or a `Network` (integers)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import EdgemlError, InputError, missing_package
from ..network import Network
from .format import READERS, Reader, Request, reader_for
from .mlp import Mlp
from .refused import refuse
from .snn import Snn

__all__ = ["Reader", "Request", "load_model", "source_kinds"]


def source_kinds() -> list[str]:
    """What `load_model` takes, for people."""
    kinds = []
    for entry in READERS.all().values():
        with suppress(EdgemlError):
            kinds.append(entry.load().description)
    return [kind for kind in kinds if kind]


def load_model(
    source: Any,
    *,
    weights: Any = None,
    example: Any = None,
    name: str | None = None,
    sample_shape: tuple[int, ...] | None = None,
) -> Mlp | Snn | Network:
    """Read a trained model.

    Parameters
    ----------
    source : a model object (`torch.nn.Module`, `torch.export.ExportedProgram`), or a path: `.pt2`, `.onnx`, `.keras`,
        `.h5`, `.edgeml`, or `module.py:factory`. Only the last runs code of the source: the Python file it names.
    weights : path of a `.safetensors` file, for `module.py:factory`.
    example : an example input [batch, features …], where a model has to be traced and its input cannot be guessed.
    name : name of the result; by default that of the file or class.
    sample_shape : of one sample of the data, by which the input is guessed where the model does not tell it.

    Returns
    -------
    The float `Mlp`, checked against the source on random inputs; or the `Network`, of a format that holds integers.

    Raises
    ------
    InputError : the source cannot be read, or is not an MLP: the operator, its place and what is supported.
    CheckFailed : edgeml misread the source.
    MissingTool : a package that reading or checking it needs is not installed.
    """
    if isinstance(source, Path):
        source = str(source)
    request = Request(source, None if weights is None else Path(weights), example, name, sample_shape)
    reader = reader_for(request)
    if reader is None:
        refuse(request)
        raise InputError(request.where, "is not a model that edgeml can read", f"It reads {'; '.join(source_kinds())}")
    if request.weights is not None and not reader.takes_weights:
        raise InputError(request.where, "takes no separate weights", "Weights go with module.py:factory")
    try:
        return reader.read(request)
    except ModuleNotFoundError as error:
        raise missing_package(request.where, error) from error
    except (MemoryError, RecursionError) as error:
        raise InputError(
            request.where, f"is larger or deeper than can be read here ({type(error).__name__})"
        ) from error
