"""The graph of an exported program: calls of operators on named values, checked while it is read from JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InputError
from ..reading.raw_tensor import RawTensor
from .archive import Archive
from .origin import call_origin
from .tensor_pickle import read_tensors

__all__ = ["INTEGERS", "Call", "DataType", "Graph", "Ignored", "Program", "Reference", "Unknown", "read_program"]

LARGEST_JSON = 2**24
"""Bytes of an archive's JSON; parsed, it takes about twenty times as much."""

_SCALAR_TYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
    13: "bfloat16",
}
"""Number types by their code."""

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
"""Those that an input of whole numbers may have."""

_SCHEMA_MAJOR = 8
_MOST_NESTED = 8


@dataclass(frozen=True)
class Reference:
    """A value by name."""

    name: str


@dataclass(frozen=True)
class DataType:
    """A number type as an argument, by name: "float32", …; "other" for those that no MLP has."""

    name: str


@dataclass(frozen=True)
class Ignored:
    """An argument that says where or how numbers lie in memory: a device, a layout."""


@dataclass(frozen=True)
class Unknown:
    """An argument of a kind that no operator of an MLP takes."""

    kind: str


@dataclass(frozen=True)
class Call:
    """One operator applied.

    Parameters
    ----------
    operator : such as "aten.linear.default".
    arguments : by the names of the operator's schema: `Reference`, numbers, text, None, lists of these, `DataType`,
        `Ignored`, `Graph`; those of a higher-order operator have no names and are called "0", "1", ….
    results : names of what it gives.
    origin : the place in the user's model, for people.
    hint : what to name a layer after.
    """

    operator: str
    arguments: Mapping[str, Any]
    results: tuple[str, ...]
    origin: str
    hint: str


@dataclass(frozen=True)
class Graph:
    """Calls in computing order; `inputs` and `outputs` are names."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    calls: tuple[Call, ...]


def _operators(graph: Graph) -> Iterator[str]:
    for call in graph.calls:
        yield call.operator
        for argument in call.arguments.values():
            if isinstance(argument, Graph):
                yield from _operators(argument)


@dataclass(frozen=True)
class Program:
    """A whole exported program.

    Parameters
    ----------
    graph : what it computes.
    input : name of the one input tensor.
    input_shape : its shape, None where dynamic.
    tensors : parameters, buffers and constants by their name in the graph.
    targets : their names in the user's model.
    torch_version : what wrote it.
    input_type : the number type of the input, such as "float32".
    """

    graph: Graph
    input: str
    input_shape: tuple[int | None, ...]
    tensors: Mapping[str, RawTensor]
    targets: Mapping[str, str]
    torch_version: str = ""
    input_type: str = "float32"

    @property
    def operators(self) -> frozenset[str]:
        """Names of all operators that it calls, such as "aten.linear.default"."""
        return frozenset(_operators(self.graph))


def read_program(content: bytes, where: str) -> Program:
    """The program in a `.pt2` archive, of any layout that torch 2.6 to 2.13 writes.

    Raises
    ------
    InputError : the archive is damaged, is of another kind, or the program takes or gives what no MLP does.
    """
    archive = Archive(content, where)
    if "byteorder" in archive and archive.read("byteorder", 16) != b"little":
        raise InputError(where, "holds numbers of a big-endian machine", "Export the model on a little-endian one")
    old = "serialized_exported_program.json" in archive
    models = ["serialized_exported_program.json"] if old else archive.names("models/")
    if len(models) != 1:
        found = f"{len(models)} programs" if models else "no exported program"
        kind = "a compiled one" if archive.names("data/aotinductor/") else "an archive of something else"
        raise InputError(
            where,
            f"holds {found}" + ("" if models else f": it is {kind}"),
            "Save one model with torch.export.save(torch.export.export(model.eval(), (example,)), path)",
        )
    try:
        structure = _json(archive, models[0])
        version = structure["schema_version"]
        if version["major"] != _SCHEMA_MAJOR:
            raise InputError(where, f"has schema version {version['major']!r}; edgeml reads {_SCHEMA_MAJOR}")
        stored = _stored_tensors(archive, old, models[0].removeprefix("models/").removesuffix(".json"))
        return _program(structure, stored, where)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(where, f"is not a sound .pt2 file ({type(error).__name__}: {str(error)[:200]})") from error


def _json(archive: Archive, name: str) -> Any:
    return json.loads(archive.read(name, LARGEST_JSON))


def _stored_tensors(archive: Archive, old: bool, model: str) -> dict[str, RawTensor]:
    """Weights, buffers and constants by their name in the user's model, in whichever way they are stored."""
    tensors: dict[str, RawTensor] = {}
    if old:
        members = ["serialized_state_dict.pt", "serialized_constants.pt"]
    else:
        members = [f"data/weights/{model}.pt", f"data/constants/{model}.pt"]
    for member, config, folder in (
        (members[0], f"data/weights/{model}_weights_config.json", "data/weights/"),
        (members[1], f"data/constants/{model}_constants_config.json", "data/constants/"),
    ):
        if member in archive:
            tensors.update(read_tensors(archive.read(member), f"{archive.where}, {member}"))
        else:
            tensors.update(_payloads(archive, _json(archive, config)["config"], folder))
    return tensors


def _payloads(archive: Archive, config: Mapping[str, Any], folder: str) -> dict[str, RawTensor]:
    contents: dict[str, bytes] = {}
    tensors = {}
    for name, entry in config.items():
        path = entry["path_name"]
        if entry["use_pickle"] or entry["tensor_meta"] is None:
            raise InputError(
                f"{archive.where}, {name[:80]}",
                "is pickled, as tensor subclasses and custom objects are: to read it, code would have to run",
                "Export a model of plain tensors: dequantize or merge what wraps them",
            )
        if path not in contents:
            contents[path] = archive.read(folder + path)
        meta = entry["tensor_meta"]
        number_type = _SCALAR_TYPES.get(meta["dtype"])
        if number_type is None:
            raise InputError(f"{archive.where}, {name[:80]}", f"holds numbers of type code {meta['dtype']!r}")
        sizes, strides = (tuple(_plain_size(size) for size in meta[key]) for key in ("sizes", "strides"))
        tensors[name] = RawTensor(
            f"{archive.where}, {name[:80]}",
            contents[path],
            number_type,
            sizes,
            strides,
            _plain_size(meta["storage_offset"]),
        )
    return tensors


def _plain_size(size: Mapping[str, Any]) -> int:
    value = size["as_int"]
    if type(value) is not int:
        raise TypeError(f"a size that is not an integer: {value!r}")
    return value


def _program(structure: Mapping[str, Any], stored: Mapping[str, RawTensor], where: str) -> Program:
    module = structure["graph_module"]
    tensors: dict[str, RawTensor] = {}
    targets: dict[str, str] = {}
    inputs: list[str] = []
    for spec in module["signature"]["input_specs"]:
        ((kind, entry),) = spec.items()
        if kind == "user_input":
            inputs.append(_user_input(entry["arg"], where))
        elif kind in ("parameter", "buffer", "tensor_constant"):
            target = entry[{"tensor_constant": "tensor_constant_name"}.get(kind, f"{kind}_name")]
            if target not in stored:
                raise InputError(where, f"holds no numbers for {target!r}")
            tensors[_text(entry["arg"]["name"])] = stored[target]
            targets[_text(entry["arg"]["name"])] = target
        elif kind != "constant_input":
            raise InputError(where, f"takes a {kind.replace('_', ' ')}, which no MLP does")
    if len(inputs) != 1:
        raise InputError(where, f"takes {len(inputs)} tensors", "edgeml converts models of one input tensor")
    graph = _graph(module["graph"], 0)
    results = []
    for spec in module["signature"]["output_specs"]:
        ((kind, entry),) = spec.items()
        if kind != "user_output":
            raise InputError(
                where,
                f"changes its own state while it runs ({kind.replace('_', ' ')})",
                "Call model.eval() before torch.export.export",
            )
        results.append(_user_output(entry["arg"], where))
    if len(results) != 1:
        raise InputError(where, f"gives {len(results)} results", "edgeml converts models of one output tensor")
    described = module["graph"]["tensor_values"][inputs[0]]
    shape = tuple(size["as_int"] if type(size.get("as_int")) is int else None for size in described["sizes"])
    input_type = _SCALAR_TYPES.get(described["dtype"], "other")
    graph = Graph(graph.inputs, tuple(results), graph.calls)
    return Program(graph, inputs[0], shape, tensors, targets, str(structure.get("torch_version", ""))[:40], input_type)


def _user_input(argument: Mapping[str, Any], where: str) -> str:
    if "as_tensor" not in argument:
        raise InputError(where, f"takes an input that is not a tensor ({next(iter(argument), '')[:40]})")
    return _text(argument["as_tensor"]["name"])


def _user_output(argument: Mapping[str, Any], where: str) -> str:
    if "as_tensor" not in argument:
        raise InputError(where, f"gives a result that is not a tensor ({next(iter(argument), '')[:40]})")
    return _text(argument["as_tensor"]["name"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name that is not a text: {value!r}"[:100])
    return value


def _graph(structure: Mapping[str, Any], depth: int) -> Graph:
    if depth > _MOST_NESTED:
        raise ValueError("graphs nested too deep")
    calls = []
    for node in structure["nodes"]:
        arguments = {}
        for position, given in enumerate(node["inputs"]):
            arguments[_text(given["name"]) or str(position)] = _argument(given["arg"], depth)
        results = tuple(name for result in node["outputs"] for name in _result_names(result))
        operator = _text(node["target"]).removeprefix("torch.ops.")
        origin, hint = call_origin(operator, node.get("metadata") or {}, results[0] if results else "")
        calls.append(Call(operator, arguments, results, origin, hint))
    inputs, outputs = (
        tuple(name for value in structure[key] for name in _result_names(value)) for key in ("inputs", "outputs")
    )
    return Graph(inputs, outputs, tuple(calls))


def _result_names(result: Mapping[str, Any]) -> list[str]:
    ((kind, value),) = result.items()
    if kind == "as_tensor":
        return [_text(value["name"])]
    if kind == "as_tensors":
        return [_text(entry["name"]) for entry in value]
    if kind in ("as_sym_int", "as_sym_bool", "as_sym_float"):
        return [_text(value["as_name"])] if "as_name" in value else []
    return []


def _argument(argument: Mapping[str, Any], depth: int) -> Any:
    """An argument's value; the kinds are those of torch's schema."""
    ((kind, value),) = argument.items()
    if kind == "as_none":
        return None
    if kind == "as_tensor":
        return Reference(_text(value["name"]))
    if kind in ("as_tensors", "as_optional_tensors"):
        return [
            None if "as_none" in entry else Reference(_text(entry.get("as_tensor", entry)["name"])) for entry in value
        ]
    if kind == "as_optional_tensor":
        return None if "as_none" in value else Reference(_text(value["as_tensor"]["name"]))
    if kind in ("as_int", "as_float", "as_bool", "as_string"):
        if not isinstance(value, (int, float, str)):
            raise TypeError(f"an argument {kind} that is none")
        return float(value) if kind == "as_float" else value
    if kind in ("as_ints", "as_floats", "as_bools", "as_strings"):
        if not isinstance(value, list) or not all(isinstance(entry, (int, float, str)) for entry in value):
            raise TypeError(f"an argument {kind} that is none")
        return value
    if kind in ("as_sym_int", "as_sym_bool", "as_sym_float"):
        return _symbol(value)
    if kind in ("as_sym_ints", "as_sym_bools", "as_sym_floats"):
        return [_symbol(entry) for entry in value]
    if kind == "as_scalar_type":
        return DataType(_SCALAR_TYPES.get(value, "other"))
    if kind in ("as_memory_format", "as_layout", "as_device"):
        return Ignored()
    if kind == "as_graph":
        return _graph(value["graph"], depth + 1)
    return Unknown(kind)


def _symbol(value: Mapping[str, Any]) -> Any:
    ((kind, entry),) = value.items()
    if kind == "as_name":
        return Reference(_text(entry))
    if not isinstance(entry, (int, float)):
        raise TypeError(f"a size that is not a number: {entry!r}"[:100])
    return entry
