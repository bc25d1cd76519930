"""The `.edgeml` file: a network as safetensors, its structure as JSON in the header. No pickle anywhere."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..errors import InputError, NetworkError, printable
from ..system.regular_file import read_regular
from .adaptation.definition import Adaptation
from .layer import UnknownKind, layer_class
from .monitor import Monitor, Prototypes
from .network import Network, Node, Output

__all__ = ["FORMAT_VERSION", "from_bytes", "model_hash", "read", "structure_of", "to_bytes", "write"]

FORMAT_VERSION = 1
_METADATA_KEY = "edgeml"
_ADAPTATION = "adaptation:"
"""Starts the names of its tensors: no node can be called so."""
_LARGEST_FILE = 2**29
_LARGEST_HEADER = 2**24
_LONGEST_MESSAGE = 400
_MOST_NODES = 10_000
_PROTOTYPES = ("monitor:input", "monitor:hidden")
"""Names of tensors that no layer's can be: a node has no colon in its name."""
_STORED_TYPES = (np.int8, np.int16, np.int32)


def _narrowed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Integers in the smallest signed type that holds them; other arrays as they are."""
    if array.dtype.kind != "i":
        return np.ascontiguousarray(array)
    low, high = int(array.min()), int(array.max())
    for dtype in _STORED_TYPES:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.ascontiguousarray(array, dtype=dtype)
    return np.ascontiguousarray(array)


def to_bytes(network: Network, *, origins: bool = True) -> bytes:
    """The file's content, with the origins of layers or without; the same network gives the same bytes."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    nodes = []
    for node in network.nodes:
        attributes, arrays = node.layer.parts()
        for field, array in arrays.items():
            tensors[f"{node.name}.{field}"] = _narrowed(array)
        nodes.append(
            {
                "name": node.name,
                "kind": node.layer.kind,
                "inputs": list(node.inputs),
                "attributes": attributes,
                "tensors": sorted(arrays),
                **({"origin": node.origin} if origins and node.origin else {}),
            }
        )
    output = network.output
    tensors["output.scale"] = np.ascontiguousarray(output.scale)
    structure = {
        "format": FORMAT_VERSION,
        "name": network.name,
        "nodes": nodes,
        "output": {"zero_point": output.zero_point, "labels": list(output.labels), **_task(output)},
    }
    if network.adaptation is not None:  # a file of a network without one has the bytes that it always had
        structure["adaptation"], arrays = network.adaptation.parts()
        tensors |= {f"{_ADAPTATION}{name}": _narrowed(array) for name, array in arrays.items()}
    if network.monitor is not None:
        structure["monitor"] = _monitor_parts(network.monitor)
        for name, prototypes in zip(_PROTOTYPES, network.monitor.prototypes, strict=False):
            tensors[name] = np.ascontiguousarray(prototypes.values, np.uint8)
    return bytes(save(tensors, metadata={_METADATA_KEY: json.dumps(structure, sort_keys=True)}))


def _task(output: Output) -> dict[str, Any]:
    """What is decided, if it is stated: files from before there were tasks keep their bytes and their hash."""
    stated: dict[str, Any] = {"task": output.task} if output.task else {}
    return stated if output.threshold is None else {**stated, "threshold": output.threshold}


def _monitor_parts(monitor: Monitor) -> dict[str, Any]:
    """A monitor but for its prototypes, which are tensors; networks without one keep their bytes and their hash."""
    entries = [
        {"node": each.node, "fraction_bits": each.fraction_bits, "limit": each.limit} for each in monitor.prototypes
    ]
    return {"margin": monitor.margin, "prototypes": entries}


def _monitor(structure: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Monitor | None:
    if (parts := structure.get("monitor")) is None:
        return None
    entries = parts["prototypes"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= len(_PROTOTYPES):
        raise NetworkError("monitor", f"must have prototypes of 1 or {len(_PROTOTYPES)} nodes")
    read = [
        Prototypes(entry["node"], entry["fraction_bits"], tensors[name], entry["limit"])
        for name, entry in zip(_PROTOTYPES, entries, strict=False)
    ]
    return Monitor(parts["margin"], *read)


def model_hash(network: Network) -> str:
    """The identity of a network wherever one is stated: SHA-256, in hexadecimal, of its `.edgeml` file without origins.

    What people read of a layer's place in their model changes no integer, and so it changes no identity.
    """
    return hashlib.sha256(to_bytes(network, origins=False)).hexdigest()


def write(network: Network, path: str | Path) -> None:
    """Write `network` to `path`, beside it first and then renamed into place."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(to_bytes(network))
    partial.replace(path)


def read(path: str | Path) -> Network:
    """The network in a `.edgeml` file; InputError naming the file if it cannot be one."""
    return from_bytes(read_regular(path, _LARGEST_FILE), str(path))


def from_bytes(content: bytes, where: str = "network") -> Network:
    """Inverse of `to_bytes`. Raises InputError naming `where` and what is wrong."""
    try:
        structure = structure_of(content)
        tensors = load(content)
        return _network(structure, tensors)
    except UnknownKind as error:
        what = f"{error.where} is of a {error.problem}"
        raise InputError(where, printable(what, _LONGEST_MESSAGE), error.remedy) from error
    except InputError as error:
        raise InputError(where, f"is not a sound .edgeml file: {printable(error, _LONGEST_MESSAGE)}") from error
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        text = printable(f"{type(error).__name__}: {error}", _LONGEST_MESSAGE)
        raise InputError(where, f"is not a sound .edgeml file ({text})") from error


def structure_of(content: bytes, key: str = _METADATA_KEY) -> dict[str, Any]:
    """The JSON structure under `key` in the header of safetensors; nothing is read that the file does not hold.

    Raises InputError if there is none of this format; ValueError and the like if it is not sound JSON.
    """
    if len(content) < 8:
        raise InputError("header", f"the file has {len(content)} bytes only")
    (length,) = struct.unpack("<Q", content[:8])
    if length > min(len(content) - 8, _LARGEST_HEADER):
        raise InputError("header", f"claims {length} bytes; the file has {len(content)}")
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    if key not in metadata:
        raise InputError("header", "is safetensors, but holds no edgeml network", "Pass it as weights of a model")
    structure = json.loads(metadata[key])
    if structure.get("format") != FORMAT_VERSION:
        raise InputError("header", f"format {structure.get('format')!r}; this edgeml reads {FORMAT_VERSION}")
    return dict(structure)


def _network(structure: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Network:
    entries = structure["nodes"]
    if not isinstance(entries, list) or len(entries) > _MOST_NODES:
        raise NetworkError("nodes", f"must be a list of at most {_MOST_NODES}")
    nodes = []
    for entry in entries:
        name = entry["name"]
        arrays = {field: tensors[f"{name}.{field}"] for field in entry["tensors"]}
        try:
            layer = layer_class(entry["kind"]).from_parts(entry["attributes"], arrays)
        except UnknownKind as error:
            raise UnknownKind(f"layer {name}", f"{error.where} that {error.problem}", error.remedy) from error
        except NetworkError as error:
            raise NetworkError(f"layer {name}", str(error)) from error
        nodes.append(Node(name, layer, _texts("inputs", entry["inputs"]), entry.get("origin", "")))
    output = structure["output"]
    adaptation = None
    if "adaptation" in structure:
        given = {name.removeprefix(_ADAPTATION): each for name, each in tensors.items() if name.startswith(_ADAPTATION)}
        adaptation = Adaptation.from_parts(structure["adaptation"], given)
    return Network(
        structure["name"],
        tuple(nodes),
        Output(
            tensors["output.scale"],
            output["zero_point"],
            _texts("labels", output["labels"]),
            output.get("task", ""),
            output.get("threshold"),
        ),
        adaptation,
        _monitor(structure, tensors),
    )


def _texts(what: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise NetworkError(what, f"must be a list of texts, found {values!r}")
    return tuple(values)
