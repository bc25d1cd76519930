"""Tensors by name out of what `torch.save` writes for a state dict, without unpickling.

torch before 2.9 stores the weights of an exported program so. A pickle is a small program; this reads the few
opcodes that a dictionary of tensors is made of and gives plain data. Names of functions in it are compared, never
looked up: nothing is imported and nothing called, whatever the file says.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass, replace
from typing import Any, cast

from ...errors import InputError
from ..reading.raw_tensor import RawTensor
from .archive import Archive

__all__ = ["read_tensors"]

_LARGEST_PICKLE = 2**20

_STORAGE_TYPES = {
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "ShortStorage": "int16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "HalfStorage": "float16",
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "BoolStorage": "bool",
    "BFloat16Storage": "bfloat16",
}
"""Number types by the name of torch's storage class."""

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = {
    *("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE8"),
}
_IGNORED = {"PROTO", "FRAME"}


class _NotPlain(Exception):
    """The pickle holds more than tensors by name."""


@dataclass(frozen=True)
class _Name:
    """A function or class that the pickle names."""

    text: str


@dataclass(frozen=True)
class _Storage:
    content: bytes
    number_type: str


def read_tensors(content: bytes, where: str) -> dict[str, RawTensor]:
    """The tensors in `content` by name.

    Raises
    ------
    InputError : it is not what `torch.save` writes for a dictionary of tensors, or holds anything else.
    """
    archive = Archive(content, where)
    if archive.names("byteorder") and archive.read("byteorder", 16) != b"little":
        raise InputError(where, "holds numbers of a big-endian machine", "Export the model on a little-endian one")
    try:
        result = _read(archive)
    except _NotPlain as error:
        raise InputError(
            where,
            f"holds a pickle that would have to run to be read ({error})",
            "Only plain tensors are read; export the model anew with a recent torch, or to ONNX",
        ) from error
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, UnicodeDecodeError) as error:
        raise InputError(where, f"is damaged ({type(error).__name__}: {error})") from error
    if not isinstance(result, dict):
        raise InputError(where, "holds no dictionary of tensors")
    tensors = {}
    for name, tensor in result.items():
        if not isinstance(name, str) or not isinstance(tensor, RawTensor):
            text = name[:80] if isinstance(name, str) else type(name).__name__
            raise InputError(where, f"its entry {text!r} is not a tensor")
        tensors[name] = replace(tensor, name=f"{where}, {name[:80]}")
    return tensors


def _read(archive: Archive) -> Any:
    storages: dict[str, _Storage] = {}
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(io.BytesIO(archive.read("data.pkl", _LARGEST_PICKLE))):
        name, key = opcode.name, cast(int, argument)
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            stack.append(argument)
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "GLOBAL":
            stack.append(_Name(str(argument)))
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else key] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[key])
        elif name in ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"):
            items = _since_mark(stack) if name == "TUPLE" else _popped(stack, int(name[-1]))
            stack.append(tuple(items))
        elif name in ("SETITEM", "SETITEMS"):
            items = _popped(stack, 2) if name == "SETITEM" else _since_mark(stack)
            _fill(stack[-1], items)
        elif name == "BINPERSID":
            stack.append(_storage(archive, storages, stack.pop()))
        elif name == "REDUCE":
            function, arguments = _popped(stack, 2)
            stack.append(_made(function, arguments))
        elif name == "BUILD":
            # Attributes of a dictionary, such as a state dict's version numbers: data that nothing here needs.
            stack.pop()
        elif name == "STOP":
            return stack.pop()
        elif name not in _IGNORED:
            raise _NotPlain(f"opcode {name}")
    raise ValueError("the pickle has no end")


def _fill(target: Any, items: list[Any]) -> None:
    """Put keys and values into a dictionary. A key is text or a number: hashing nested tuples, which may hold each
    other over and over, would take for ever."""
    if type(target) is not dict:
        raise ValueError("the pickle fills what is not a dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) not in (str, int):
            raise _NotPlain("a key that is neither text nor a number")
        target[key] = value


def _popped(stack: list[Any], count: int) -> list[Any]:
    if len(stack) < count:
        raise ValueError("the pickle takes more than there is")
    items = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return items


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _storage(archive: Archive, storages: dict[str, _Storage], identity: Any) -> _Storage:
    """The storage that a reference names; each is read once, however often it is named."""
    kind, storage_class, key, _, _ = identity
    if kind != "storage" or not isinstance(storage_class, _Name) or not isinstance(key, str):
        raise _NotPlain("a reference that is not a storage")
    number_type = _STORAGE_TYPES.get(storage_class.text.removeprefix("torch "))
    if number_type is None:
        raise _NotPlain(storage_class.text[:80])
    if key not in storages:
        storages[key] = _Storage(archive.read(f"data/{key}"), number_type)
    return storages[key]


def _made(function: Any, arguments: Any) -> Any:
    """What one of the known functions makes of its arguments, as data."""
    name = function.text if isinstance(function, _Name) else repr(type(function))
    if name == "collections OrderedDict" and arguments == ():
        return {}
    if name == "torch._utils _rebuild_tensor_v2":
        storage, offset, sizes, strides = arguments[:4]
        numbers = (offset, *sizes, *strides)
        if not isinstance(storage, _Storage) or not all(type(number) is int for number in numbers):
            raise ValueError("a tensor that is none")
        return RawTensor("", storage.content, storage.number_type, tuple(sizes), tuple(strides), offset)
    if name in ("torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state"):
        if not isinstance(arguments[0], RawTensor):
            raise ValueError("a parameter that is not a tensor")
        return arguments[0]
    raise _NotPlain(f"a call of {name[:80]}")
