"""The quantized model as a file: safetensors, its structure as JSON in the header. No pickle, hostile-safe."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from edgeml.errors import InputError, printable
from edgeml.frontends.float_operators.clamp import Clamp
from edgeml.frontends.float_operators.found import float_operator_kinds
from edgeml.network.network_file import FORMAT_VERSION, structure_of
from edgeml.system.regular_file import read_regular

from .model import Input, ModelNode, ModelOperator, QuantizedLinear, QuantizedModel, QuantizedShared, Quantizer
from .user_operators import as_user_operator

__all__ = ["BREVITAS_FILE", "from_bytes", "read", "to_bytes"]

BREVITAS_FILE = "brevitas/network.safetensors"
"""Where it lies in a bundle."""
_METADATA_KEY = "edgeml_brevitas"
_LARGEST_FILE = 2**30
_LONGEST_MESSAGE = 500
_MOST_NODES = 10_000
_KINDS: dict[str, type] = {kind.kind: kind for kind in (Input, QuantizedLinear, QuantizedShared, Quantizer)}
"""Kinds of the quantized form itself; others are those of float operators."""
_MATRICES = {(kind.kind, "weight") for kind in (QuantizedLinear, QuantizedShared)}


def to_bytes(model: QuantizedModel) -> bytes:
    """The file's content; the same model gives the same bytes."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    entries = []
    for node in model.nodes:
        attributes: dict[str, Any] = {}
        arrays = []
        stored = node.operator.stored
        for field, value in ((each.name, getattr(stored, each.name)) for each in dataclasses.fields(stored)):
            if isinstance(value, np.ndarray):
                small = np.int8 if value.dtype.kind == "i" else np.float64
                tensors[f"{node.name}.{field}"] = np.ascontiguousarray(value, dtype=small)
                arrays.append(field)
            else:
                infinite = isinstance(value, float) and math.isinf(value)
                attributes[field] = None if infinite else value
        entries.append(
            {
                "name": node.name,
                "kind": node.operator.kind,
                "inputs": list(node.inputs),
                "attributes": attributes,
                "tensors": sorted(arrays),
            }
        )
    structure = {"format": FORMAT_VERSION, "name": model.name, "nodes": entries, "labels": list(model.labels)}
    return bytes(save(tensors, metadata={_METADATA_KEY: json.dumps(structure, sort_keys=True)}))


def read(path: Path) -> QuantizedModel:
    """The model in a file; InputError naming the file where it cannot be one."""
    return from_bytes(read_regular(path, _LARGEST_FILE), str(path))


def from_bytes(content: bytes, where: str = "model") -> QuantizedModel:
    """Inverse of `to_bytes`; InputError naming `where` and what is wrong."""
    try:
        structure = structure_of(content, _METADATA_KEY)
        return _model(structure, load(content))
    except InputError as error:
        raise InputError(where, f"is not a sound quantized model: {printable(error, _LONGEST_MESSAGE)}") from error
    except (
        SafetensorError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        text = printable(f"{type(error).__name__}: {error}", _LONGEST_MESSAGE)
        raise InputError(where, f"is not a sound quantized model ({text})") from error


def _model(structure: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> QuantizedModel:
    entries = structure["nodes"]
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST_NODES:
        raise InputError("nodes", f"must be a list of 1 to {_MOST_NODES}")
    nodes = []
    for entry in entries:
        name = str(entry["name"])
        arrays = {str(field): tensors[f"{name}.{field}"] for field in entry["tensors"]}
        try:
            operator = _operator(str(entry["kind"]), dict(entry["attributes"]), arrays)
        except InputError as error:
            raise InputError(f"layer {name}", str(error)) from error
        nodes.append(ModelNode(name, operator, tuple(str(each) for each in entry["inputs"])))
    return QuantizedModel(str(structure["name"]), tuple(nodes), tuple(str(each) for each in structure["labels"]))


def _operator(kind: str, attributes: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> ModelOperator:
    for field, array in arrays.items():
        wanted = "i" if (kind, field) in _MATRICES else "f"
        if array.dtype.kind != wanted or array.size == 0 or array.ndim not in _dimensions(kind, field):
            raise InputError(field, f"cannot be {array.dtype} {list(array.shape)}")
        arrays[field] = array.astype(np.int32 if wanted == "i" else np.float64)
    if kind not in _KINDS:
        return _user_operator(kind, attributes, arrays)
    for field, value in attributes.items():
        _check(field, value)
    operator: ModelOperator = _KINDS[kind](**attributes, **arrays)
    return operator


def _dimensions(kind: str, field: str) -> tuple[int, ...]:
    """How many dimensions an array may have."""
    if kind in _KINDS:
        return (2,) if (kind, field) in _MATRICES or field == "source" else (1,)
    return 1, 2


def _user_operator(kind: str, attributes: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> ModelOperator:
    """A float operator, which checks its own fields."""
    kinds = float_operator_kinds()
    if kind not in kinds:
        raise InputError("kind", f"{kind!r} is not known")
    if kind == Clamp.kind:
        low, high = attributes.pop("low"), attributes.pop("high")
        attributes["low"] = -math.inf if low is None else _real(low)
        attributes["high"] = math.inf if high is None else _real(high)
    for field, value in attributes.items():
        if not isinstance(value, (bool, int, float, str)):
            raise InputError(field, f"cannot be {value!r}")
    return as_user_operator(kinds[kind](**attributes, **arrays))


def _check(field: str, value: Any) -> None:
    if field in ("signed", "narrow"):
        sound = isinstance(value, bool)
    elif field == "bits":
        sound = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 8
    elif field in ("size", "inputs"):
        sound = isinstance(value, int) and 0 < value <= 2**24
    elif field in ("scale", "step"):
        sound = isinstance(value, float) and math.isfinite(value) and value > 0
    else:
        sound = False
    if not sound:
        raise InputError(field, f"cannot be {value!r}")


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError("clamp", f"cannot be {value!r}")
    return float(value)
